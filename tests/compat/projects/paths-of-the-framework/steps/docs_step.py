config = {"type": "api", "name": "Docs", "path": "/docs", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"mine": True}}
