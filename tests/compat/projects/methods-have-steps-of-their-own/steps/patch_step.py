config = {"type": "api", "name": "Patch", "path": "/thing", "method": "PATCH", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"step": "Patch"}}
