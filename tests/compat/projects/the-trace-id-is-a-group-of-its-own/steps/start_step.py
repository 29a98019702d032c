config = {
    "type": "api",
    "name": "Start",
    "path": "/start",
    "method": "POST",
    "emits": ["work.begun"],
}


async def handler(req, context):
    await context.state.set(context.trace_id, "who", req["body"]["who"])
    await context.emit({"topic": "work.begun", "data": {}})
    return {"status": 200, "body": {}}
