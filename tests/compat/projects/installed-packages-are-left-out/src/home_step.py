config = {"type": "api", "name": "Home", "path": "/home", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"ok": True}}
