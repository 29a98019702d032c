from motia import api

config = {
    "name": "Old",
    "triggers": [api("GET", "/old")],
    "enqueues": [],
}


async def handler(request, ctx):
    return {"status": 200, "body": [ctx.trigger.type, ctx.is_api()]}
