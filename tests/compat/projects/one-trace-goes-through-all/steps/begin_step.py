from motia import enqueue, http

config = {"name": "Begin", "triggers": [http("POST", "/begin")], "enqueues": ["go.on"]}


async def handler(request, ctx):
    await enqueue({"topic": "go.on", "data": {}})
    return {"status": 200, "body": {"trace": ctx.trace_id}}
