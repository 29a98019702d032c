config = {"type": "api", "name": "Get", "path": "/thing", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"step": "Get"}}
