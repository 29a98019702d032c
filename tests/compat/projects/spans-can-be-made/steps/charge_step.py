from motia import logger, queue, tracing

config = {"name": "Charge", "triggers": [queue("order.made")]}


async def handler(input_data, ctx):
    with tracing.operation_span("charge", amount=input_data["amount"]):
        logger.info("Charged", {"trace": tracing.get_trace_id_from_span() == ctx.trace_id})
