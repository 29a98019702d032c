config = {"type": "api", "name": "Body", "path": "/body", "method": "POST", "emits": []}


async def handler(req):
    return {"status": 200, "body": req["body"]}
