import asyncio

config = {
    "type": "cron",
    "name": "Slow",
    "cron": "0 0 * * *",
    "emits": [],
    "infrastructure": {"handler": {"timeout": 0.2}},
}


async def handler(context):
    await asyncio.sleep(3600)
