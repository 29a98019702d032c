config = {"type": "api", "name": "Health", "path": "/health", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"mine": True}}
