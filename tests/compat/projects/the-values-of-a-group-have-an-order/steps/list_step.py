config = {"type": "api", "name": "List", "path": "/list", "method": "GET", "emits": []}


async def handler(req, context):
    for key in ("b", "a", "c"):
        await context.state.set("letters", key, key.upper())
    return {"status": 200, "body": await context.state.get_group("letters")}
