config = {
    "type": "api",
    "name": "Type",
    "path": "/rooms/:room/typing",
    "method": "POST",
    "emits": [],
}


async def handler(req, context):
    channel = {"groupId": req["pathParams"]["room"], **req["body"]}
    await context.streams.chat.send(channel, {"type": "typing", "data": {"user": "ann"}})
    return {"status": 204, "body": None}
