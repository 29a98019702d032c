config = {
    "type": "api",
    "name": "Members",
    "path": "/members",
    "method": "GET",
    "emits": ["told"],
    "flows": ["one", "two"],
}


async def handler(req, context):
    await context.state.set("group", "key", {"a": 1})
    await context.streams.updates.set("all", "u1", {"text": "attribute"})
    await context.streams["updates"].set("all", "u2", {"text": "key"})
    await context.emit({"topic": "told", "data": {"n": 1}})
    return {
        "status": 200,
        "body": {"trace": context.trace_id, "flows": context.flows},
    }
