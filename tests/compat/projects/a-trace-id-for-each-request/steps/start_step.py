config = {
    "type": "api",
    "name": "Start",
    "path": "/start",
    "method": "POST",
    "emits": ["started"],
}


async def handler(req, context):
    await context.emit({"topic": "started", "data": {}})
    return {"status": 200, "body": {"traceId": context.trace_id}}
