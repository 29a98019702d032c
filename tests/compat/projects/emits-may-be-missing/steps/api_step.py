config = {"type": "api", "name": "Api", "path": "/api", "method": "POST"}


async def handler(req, context):
    await context.emit({"topic": "any", "data": {}})
    return {"status": 200, "body": {"ok": True}}
