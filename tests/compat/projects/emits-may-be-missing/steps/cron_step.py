config = {"type": "cron", "name": "Cron", "cron": "0 0 * * *"}


async def handler(context):
    pass
