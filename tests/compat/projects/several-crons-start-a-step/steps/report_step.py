from motia import cron, logger

config = {
    "name": "Report",
    "triggers": [
        cron("0 0 9 * * *"),
        cron("0 0 18 * * *"),
        cron("0 30 18 * * *", condition=lambda input_data, ctx: False),
    ],
}


async def handler(input_data, ctx):
    logger.info("report", {"index": ctx.trigger.index, "expression": ctx.trigger.expression})
