config = {"type": "api", "name": "Values", "path": "/values", "method": "POST", "emits": []}


async def handler(req, context):
    given = []
    for key, value in req["body"].items():
        await context.state.set("values", key, value)
        given.append(await context.state.get("values", key))
    return {"status": 200, "body": given}
