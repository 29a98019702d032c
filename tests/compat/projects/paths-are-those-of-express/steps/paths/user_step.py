config = {"type": "api", "name": "User", "path": "/users/:id", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"step": "User", **req["pathParams"]}}
