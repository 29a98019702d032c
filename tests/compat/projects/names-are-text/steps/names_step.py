config = {"type": "api", "name": "Names", "path": "/names", "method": "GET", "emits": []}


async def handler(req, context):
    await context.state.set("years", 2024, "leap")
    await context.state.set("émojis", "🎉 / ?", "party")
    found = [await context.state.get("years", "2024"), await context.state.get("émojis", "🎉 / ?")]
    return {"status": 200, "body": found}
