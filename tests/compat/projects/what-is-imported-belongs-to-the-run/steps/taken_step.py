from motia import logger, queue

config = {"name": "Taken", "triggers": [queue("order.taken")]}


async def handler(input_data, ctx):
    logger.info("Taken", {"trace": ctx.trace_id})
