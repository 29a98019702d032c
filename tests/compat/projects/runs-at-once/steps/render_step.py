import asyncio

config = {
    "type": "event",
    "name": "Render",
    "subscribes": ["render"],
    "emits": [],
    "infrastructure": {"queue": {"concurrency": 2}},
}


async def handler(input_data, context):
    context.logger.info("begin")
    for _ in range(20):
        await asyncio.sleep(0)
    context.logger.info("end")
