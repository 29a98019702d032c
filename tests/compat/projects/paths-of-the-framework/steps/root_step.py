config = {"type": "api", "name": "Root", "path": "/", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"mine": True}}
