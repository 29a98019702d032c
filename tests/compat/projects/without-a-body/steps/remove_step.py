config = {
    "type": "api",
    "name": "Remove",
    "path": "/things/:id",
    "method": "DELETE",
    "emits": [],
}


async def handler(req, context):
    if req["pathParams"]["id"] == "gone":
        return {"status": 204}
    return {"status": 202}
