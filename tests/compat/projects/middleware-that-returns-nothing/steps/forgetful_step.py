async def forgets(req, context, next_fn):
    await next_fn()


config = {
    "type": "api",
    "name": "Forgetful",
    "path": "/forgetful",
    "method": "GET",
    "emits": [],
    "middleware": [forgets],
}


async def handler(req, context):
    context.logger.info("handler")
    return {"status": 200, "body": {"ok": True}}
