from motia import cron, logger

config = {"name": "Five", "triggers": [cron("1 0 * * *")], "enqueues": []}


async def handler(input_data, ctx):
    logger.info("five")
