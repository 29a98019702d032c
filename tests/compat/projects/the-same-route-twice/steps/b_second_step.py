config = {"type": "api", "name": "Second", "path": "/same", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"step": "Second"}}
