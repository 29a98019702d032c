async def limit(req, context, next_fn):
    if req["queryParams"].get("many"):
        return {"status": 429, "body": {"error": "Slow down"}, "headers": {"Retry-After": "60"}}
    return await next_fn()


async def never(req, context, next_fn):
    context.logger.info("inner")
    return await next_fn()


config = {
    "type": "api",
    "name": "Limited",
    "path": "/limited",
    "method": "GET",
    "emits": [],
    "middleware": [limit, never],
}


async def handler(req, context):
    context.logger.info("handler")
    return {"status": 200, "body": {"ok": True}}
