config = {"type": "api", "name": "Trace", "path": "/trace", "method": "TRACE", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {}}
