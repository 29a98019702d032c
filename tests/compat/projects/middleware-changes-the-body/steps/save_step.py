async def trimmed(req, context, next_fn):
    req["body"]["name"] = req["body"]["name"].strip()
    req["queryParams"] = {**req["queryParams"], "seen": "1"}
    return await next_fn()


config = {
    "type": "api",
    "name": "Save",
    "path": "/save",
    "method": "POST",
    "emits": [],
    "middleware": [trimmed],
}


async def handler(req, context):
    return {"status": 200, "body": {"name": req["body"]["name"], "query": req["queryParams"]}}
