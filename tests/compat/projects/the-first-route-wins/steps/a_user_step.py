config = {"type": "api", "name": "AnyUser", "path": "/users/:id", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"step": "AnyUser"}}
