from motia import logger, queue

config = {
    "name": "Audit",
    "triggers": [queue("order.made"), queue("order.paid")],
    "enqueues": [],
}


async def handler(input_data, ctx):
    logger.info(ctx.trigger.topic, {"index": ctx.trigger.index, "data": input_data})
