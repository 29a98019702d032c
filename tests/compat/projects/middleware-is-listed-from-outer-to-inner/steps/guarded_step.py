config = {
    "type": "api",
    "name": "Guarded",
    "path": "/guarded",
    "method": "GET",
    "emits": [],
    "middleware": [],
}


def traced(name):
    async def middleware(req, context, next_fn):
        context.logger.info(f"before {name}")
        response = await next_fn()
        context.logger.info(f"after {name}")
        return response

    return middleware


config["middleware"] = [traced("outer"), traced("inner")]


async def handler(req, context):
    context.logger.info("handler")
    return {"status": 200, "body": {"ok": True}}
