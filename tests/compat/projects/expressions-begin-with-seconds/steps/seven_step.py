from motia import cron, logger

config = {"name": "Seven", "triggers": [cron("30 0 0 1 1 * 2031")], "enqueues": []}


async def handler(input_data, ctx):
    logger.info("seven")
