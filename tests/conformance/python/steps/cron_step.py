config = {"type": "cron", "name": "cron", "cron": "@daily"}


async def handler(context):
    return context.run_id
