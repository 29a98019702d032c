config = {"type": "api", "name": "Note", "path": "/notes", "method": "POST", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"shouted": req["body"].upper(), "raw": req["rawBody"]}}
