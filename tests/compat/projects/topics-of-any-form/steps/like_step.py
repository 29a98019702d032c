config = {
    "type": "api",
    "name": "Like Post",
    "path": "/like",
    "method": "POST",
    "emits": ["like:sync", "Post Liked", "notify/users", "order_v2.created-now"],
}


async def handler(req, context):
    for topic in config["emits"]:
        await context.emit({"topic": topic, "data": {"topic": topic}})
    return {"status": 202, "body": {"ok": True}}
