def stamped(req, context, next_fn):
    req["stamp"] = "here"
    return next_fn()


config = {
    "type": "api",
    "name": "Plain",
    "path": "/plain",
    "method": "GET",
    "emits": [],
    "middleware": [stamped],
}


async def handler(req, context):
    return {"status": 200, "body": {"stamp": req["stamp"]}}
