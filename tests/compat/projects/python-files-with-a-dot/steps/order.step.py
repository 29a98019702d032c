config = {"type": "event", "name": "Order", "subscribes": ["order"], "emits": []}


async def handler(input_data, context):
    await context.streams.orders.set("all", input_data["id"], {"seen": True})
