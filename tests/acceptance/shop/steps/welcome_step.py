config = {
    "type": "event",
    "name": "welcome",
    "subscribes": ["order.placed"],
    "emits": [],
    "once": True,
}


async def handler(order, context):
    context.logger.info("Welcome", {"customer": order["customer"]})
