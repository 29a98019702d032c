import asyncio

config = {"type": "api", "name": "Gather", "path": "/gather", "method": "GET", "emits": []}


async def handler(req, context):
    await asyncio.gather(*[context.state.set("squares", str(n), n * n) for n in range(10)])
    found = await asyncio.gather(*[context.state.get("squares", str(n)) for n in range(10)])
    return {"status": 200, "body": found}
