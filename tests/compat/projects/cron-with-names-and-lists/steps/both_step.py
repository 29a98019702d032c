config = {"type": "cron", "name": "Both", "cron": "0 9 13 * Fri", "emits": []}


async def handler(context):
    pass
