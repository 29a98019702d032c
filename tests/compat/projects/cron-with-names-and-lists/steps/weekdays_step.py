config = {"type": "cron", "name": "Weekdays", "cron": "30 8,18 * * Mon-Fri", "emits": []}


async def handler(context):
    pass
