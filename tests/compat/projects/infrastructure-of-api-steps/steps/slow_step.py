import asyncio

config = {
    "type": "api",
    "name": "Slow",
    "path": "/slow",
    "method": "GET",
    "emits": [],
    "infrastructure": {"handler": {"timeout": 0.2}},
}


async def handler(req, context):
    await asyncio.sleep(3600)
