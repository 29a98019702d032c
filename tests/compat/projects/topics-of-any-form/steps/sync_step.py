config = {
    "type": "event",
    "name": "Sync: likes & posts (v2)",
    "subscribes": ["like:sync", "Post Liked", "notify/users", "order_v2.created-now"],
    "emits": [],
}


async def handler(input_data, context):
    context.logger.info(input_data["topic"])
