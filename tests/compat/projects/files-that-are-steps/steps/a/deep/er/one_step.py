config = {"type": "cron", "name": "OnePython", "cron": "0 0 * * *", "emits": []}


async def handler(context):
    pass
