async def first(req, context, next_fn):
    return await next_fn({**req, "from": "first"})


async def second(req, context, next_fn):
    context.logger.info("second", {"from": req.get("from")})
    return await next_fn()


config = {
    "type": "api",
    "name": "Replaced",
    "path": "/replaced",
    "method": "GET",
    "emits": [],
    "middleware": [first, second],
}


async def handler(req, context):
    return {"status": 200, "body": {"from": req.get("from")}}
