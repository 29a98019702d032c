config = {"type": "cron", "name": "Good", "cron": "* * * * *", "emits": []}


async def handler(context):
    pass
