class NotFound(Exception):
    pass


async def error_handler(req, context, next_fn):
    try:
        return await next_fn()
    except NotFound as error:
        context.logger.warn("Handled", {"error": str(error)})
        return {"status": 404, "body": {"error": str(error)}}


async def broken(req, context, next_fn):
    if req["queryParams"].get("broken"):
        raise RuntimeError("middleware failed")
    return await next_fn()


config = {
    "type": "api",
    "name": "Errors",
    "path": "/errors",
    "method": "GET",
    "emits": [],
    "middleware": [error_handler, broken],
}


async def handler(req, context):
    if req["queryParams"].get("crash"):
        raise ValueError("crash")
    raise NotFound("no such thing")
