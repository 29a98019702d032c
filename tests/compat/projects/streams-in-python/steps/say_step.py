config = {"type": "api", "name": "Say", "path": "/say", "method": "POST", "emits": []}


async def handler(req, context):
    await context.streams.chat.set("room", "1", req["body"])
    await context.streams.plain.set("room", "1", {"anything": 1})
    return {"status": 200, "body": {"ok": True}}
