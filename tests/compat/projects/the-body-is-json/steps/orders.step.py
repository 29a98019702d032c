config = {"type": "api", "name": "Orders", "path": "/orders", "method": "POST", "emits": []}


async def handler(req, context):
    return {"status": 201, "body": {"got": req["body"]}}
