config = {"type": "api", "name": "List", "path": "/list", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"ok": True}}
