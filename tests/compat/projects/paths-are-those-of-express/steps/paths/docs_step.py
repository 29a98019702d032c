config = {"type": "api", "name": "Docs", "path": "/docs/v1/:page?", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"step": "Docs", **req["pathParams"]}}
