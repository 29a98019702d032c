config = {"type": "api", "name": "Groups", "path": "/groups", "method": "GET", "emits": []}


async def handler(req, context):
    for group in ("user", "user:1", "users", "us*", "[u]ser"):
        await context.state.set(group, "name", group)
    await context.state.set("a:b", "c", 1)
    await context.state.set("a", "b:c", 2)
    one = await context.state.get("a:b", "c")
    return {
        "status": 200,
        "body": {
            "user": await context.state.get_group("user"),
            "star": await context.state.get_group("us*"),
            "colon": one,
        },
    }
