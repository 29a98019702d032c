config = {"type": "api", "name": "Home", "path": "/home", "method": "GET", "emits": []}


async def handler(req, context):
    if req["queryParams"].get("fail"):
        raise RuntimeError("no")
    return {"status": 200, "body": {"ok": True}}
