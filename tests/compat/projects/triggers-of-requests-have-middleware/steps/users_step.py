from motia import http


async def greet(request, ctx, next):
    answer = await next()
    answer["headers"] = {"x-greeting": request.headers["x-name"]}
    return answer


async def guard(request, ctx, next):
    if request.headers["x-name"] != "ann":
        return {"status": 403, "body": {"error": "not you"}}
    return await next()


config = {
    "name": "Users",
    "triggers": [http("GET", "/users", middleware=[greet, guard]), http("GET", "/open")],
    "enqueues": [],
}


async def handler(request, ctx):
    return {"status": 200, "body": ["ann"]}
