config = {"type": "api", "name": "Public", "path": "/public", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"user": req.get("user")}}
