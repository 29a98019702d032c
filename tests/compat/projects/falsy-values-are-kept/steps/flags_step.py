config = {"type": "api", "name": "Flags", "path": "/flags", "method": "POST", "emits": []}

FALSY = {"zero": 0, "empty": "", "no": False, "none": [], "nothing": {}}


async def handler(req, context):
    for key, value in FALSY.items():
        await context.state.set("flags", key, value)
    found = {key: await context.state.get("flags", key) for key in FALSY}
    return {"status": 200, "body": [found, len(await context.state.get_group("flags"))]}
