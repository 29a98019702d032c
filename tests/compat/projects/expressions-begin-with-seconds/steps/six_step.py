from motia import cron, logger

config = {"name": "Six", "triggers": [cron("*/20 * * * * *")], "enqueues": []}


async def handler(input_data, ctx):
    logger.info("six", {"input": input_data, "expression": ctx.trigger.expression})
