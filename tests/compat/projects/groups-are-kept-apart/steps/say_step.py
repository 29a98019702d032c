config = {
    "type": "api",
    "name": "Say",
    "path": "/rooms/:room/:id",
    "method": "PUT",
    "emits": [],
}


async def handler(req, context):
    params = req["pathParams"]
    said = await context.streams.chat.set(
        params["room"], params["id"], {"text": req["body"]["text"]}
    )
    return {"status": 200, "body": said}
