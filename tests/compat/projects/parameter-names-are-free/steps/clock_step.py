config = {"type": "cron", "name": "Clock", "cron": "0 0 * * *", "emits": []}


async def handler(anything):
    await anything.state.set("heard", "clock", {"at": "midnight"})
