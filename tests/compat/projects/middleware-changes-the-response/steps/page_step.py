async def wrap(req, context, next_fn):
    response = await next_fn()
    response["headers"] = {**response.get("headers", {}), "X-Wrapped": "yes"}
    response["body"] = {"data": response["body"]}
    return response


config = {
    "type": "api",
    "name": "Page",
    "path": "/page",
    "method": "GET",
    "emits": [],
    "middleware": [wrap],
}


async def handler(req, context):
    return {"status": 200, "body": [1, 2], "headers": {"X-Own": "1"}}
