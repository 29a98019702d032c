config = {"type": "cron", "name": "Morning", "cron": "0 8 * * *", "emits": []}


async def handler(context):
    pass
