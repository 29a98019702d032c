config = {"type": "api", "name": "Put", "path": "/put", "method": "POST", "emits": []}


async def handler(req, context):
    item = await context.streams.custom.set("g", "1", {"n": 1})
    return {"status": 200, "body": {"n": item["n"]}}
