config = {
    "type": "event",
    "name": "Notify",
    "description": "Tells people",
    "subscribes": ["order.paid", "order.refused"],
    "emits": [],
    "flows": ["orders"],
}


async def handler(input_data, context):
    context.logger.info("notified", {"id": input_data["id"]})
