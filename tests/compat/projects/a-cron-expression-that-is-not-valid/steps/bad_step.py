config = {"type": "cron", "name": "Bad", "cron": "61 * * * *", "emits": []}


async def handler(context):
    pass
