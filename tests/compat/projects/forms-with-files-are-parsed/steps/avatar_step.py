config = {"type": "api", "name": "Avatar", "path": "/avatar", "method": "POST", "emits": []}


async def handler(req, context):
    body = req["body"]
    return {"status": 200, "body": {"fields": sorted(body), "title": body.get("title")}}
