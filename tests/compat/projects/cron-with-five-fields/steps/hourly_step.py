config = {
    "type": "cron",
    "name": "Hourly",
    "description": "Every hour",
    "cron": "0 * * * *",
    "emits": [],
    "flows": ["reports"],
}


async def handler(context):
    context.logger.info("tick", {"flows": context.flows})
