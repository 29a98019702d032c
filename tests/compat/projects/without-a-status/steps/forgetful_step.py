config = {"type": "api", "name": "Forgetful", "path": "/forgetful", "method": "GET", "emits": []}


async def handler(req, context):
    return {"body": {"ok": True}}
