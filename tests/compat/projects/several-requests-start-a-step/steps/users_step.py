from motia import http

config = {
    "name": "Users",
    "triggers": [
        http("GET", "/users/:id"),
        http("PUT", "/users/:id"),
        http("POST", "/users"),
    ],
    "enqueues": [],
}


async def handler(request, ctx):
    trigger = ctx.trigger
    told = [trigger.index, trigger.method, trigger.path, request.path_params.get("id")]
    return {"status": 200, "body": told}
