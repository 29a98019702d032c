config = {"type": "cron", "name": "Winter", "cron": "0 0 1-31/10 January,Feb *", "emits": []}


async def handler(context):
    pass
