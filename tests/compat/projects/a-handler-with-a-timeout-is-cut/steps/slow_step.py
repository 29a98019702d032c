import asyncio

config = {
    "type": "event",
    "name": "Slow",
    "subscribes": ["slow"],
    "emits": [],
    "infrastructure": {
        "handler": {"timeout": 1},
        "queue": {"maxRetries": 0, "visibilityTimeout": 2},
    },
}


async def handler(input_data, context):
    await asyncio.sleep(3600)
