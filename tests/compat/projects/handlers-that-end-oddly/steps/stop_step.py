config = {"type": "api", "name": "Stop", "path": "/stop", "method": "GET", "emits": []}


async def handler(req, context):
    next(iter(()))
    return {"status": 200}
