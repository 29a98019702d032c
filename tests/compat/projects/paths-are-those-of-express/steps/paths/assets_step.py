config = {"type": "api", "name": "Assets", "path": "/assets/*", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"step": "Assets", **req["pathParams"]}}
