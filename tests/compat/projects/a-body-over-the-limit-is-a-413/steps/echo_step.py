config = {"type": "api", "name": "Echo", "path": "/echo", "method": "POST", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"size": len(req["rawBody"])}}
