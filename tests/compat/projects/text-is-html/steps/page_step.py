config = {"type": "api", "name": "Page", "path": "/page", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": "<h1>Hello</h1>"}
