config = {
    "type": "api",
    "name": "AnyPart",
    "path": "/orders/:id/:part",
    "method": "GET",
    "emits": [],
}


async def handler(req, context):
    return {"status": 200, "body": {"step": "AnyPart"}}
