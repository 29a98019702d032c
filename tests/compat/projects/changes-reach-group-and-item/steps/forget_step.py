config = {
    "type": "api",
    "name": "Forget",
    "path": "/rooms/:room/:id",
    "method": "DELETE",
    "emits": [],
}


async def handler(req, context):
    params = req["pathParams"]
    return {"status": 200, "body": await context.streams.chat.delete(params["room"], params["id"])}
