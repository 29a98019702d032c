config = {"type": "api", "name": "First", "path": "/same", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"step": "First"}}
