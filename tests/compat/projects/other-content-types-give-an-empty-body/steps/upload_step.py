config = {"type": "api", "name": "Upload", "path": "/raw", "method": "PUT", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"body": req["body"], "raw": req["rawBody"]}}
