config = {"type": "api", "name": "Metrics", "path": "/metrics", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"mine": True}}
