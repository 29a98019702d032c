import asyncio

config = {"type": "api", "name": "Slow", "path": "/slow", "method": "GET", "emits": []}


async def handler(req, context):
    await asyncio.sleep(3600)
