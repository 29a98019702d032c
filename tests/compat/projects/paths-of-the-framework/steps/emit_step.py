config = {"type": "api", "name": "Emit", "path": "/emit", "method": "POST", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"mine": True}}
