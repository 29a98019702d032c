config = {"type": "api", "name": "Ping", "path": "/ping", "method": "POST", "emits": []}


async def handler(req, context):
    message = req["body"].get("message", "pong")
    return {"status": 200, "body": {"message": message, "body": req["body"], "raw": req["rawBody"]}}
