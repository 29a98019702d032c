from motia import logger, queue

config = {
    "name": "Remind",
    "triggers": [queue("order.made", config={"delaySeconds": 60})],
    "enqueues": [],
}


async def handler(input_data, ctx):
    logger.info("reminded")
