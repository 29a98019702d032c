config = {"type": "api", "name": "Options", "path": "/thing", "method": "OPTIONS", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"step": "Options"}}
