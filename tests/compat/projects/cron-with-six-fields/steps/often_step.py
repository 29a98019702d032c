config = {"type": "cron", "name": "Often", "cron": "*/15 * * * * *", "emits": []}


async def handler(context):
    pass
