async def only(req, context, next_fn):
    return await next_fn({**req, "from": "only"})


config = {
    "type": "api",
    "name": "Replaced",
    "path": "/replaced",
    "method": "GET",
    "emits": [],
    "middleware": [only],
}


async def handler(req, context):
    return {"status": 200, "body": {"from": req.get("from")}}
