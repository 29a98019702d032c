async def meter(req, context, next_fn):
    count = await context.state.get("meter", "calls")
    before = count.get("n", 0) if isinstance(count, dict) else 0
    await context.state.set("meter", "calls", {"n": before + 1})
    await context.emit({"topic": "metered", "data": {"trace": context.trace_id}})
    response = await next_fn()
    await context.emit({"topic": "not.declared", "data": {}})
    return response


config = {
    "type": "api",
    "name": "Metered",
    "path": "/metered",
    "method": "GET",
    "emits": ["metered"],
    "middleware": [meter],
}


async def handler(req, context):
    return {"status": 200, "body": {"trace": context.trace_id}}
