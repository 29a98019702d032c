config = {"type": "event", "name": "Pack", "subscribes": ["order.checked"], "emits": []}


async def handler(input, context):
    await context.streams.orders.set("packed", input["id"], input)
