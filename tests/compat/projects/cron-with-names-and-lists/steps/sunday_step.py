config = {"type": "cron", "name": "Sunday", "cron": "0 12 * * 7", "emits": []}


async def handler(context):
    pass
