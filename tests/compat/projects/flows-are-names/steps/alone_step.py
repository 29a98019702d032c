config = {"type": "cron", "name": "Alone", "cron": "0 0 * * *", "emits": []}


async def handler(context):
    pass
