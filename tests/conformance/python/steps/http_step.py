async def outer(request, context, following):
    request["body"]["order"].append("outer")
    answer = await following()
    return {**answer, "headers": {"x-outer": "yes"}}


async def inner(request, context, following):
    request["body"]["order"].append("inner")
    if request["body"].get("stop"):
        return {"status": 403}
    return await following()


config = {
    "type": "api",
    "name": "http",
    "method": "POST",
    "path": "/http/:id",
    "middleware": [outer, inner],
}


async def handler(request, context):
    order = [*request["body"]["order"], request["pathParams"]["id"]]
    return {"status": 200, "body": order}
