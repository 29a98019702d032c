config = {"type": "api", "name": "Home", "path": "/items/:id", "method": "PUT", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"ok": True}}
