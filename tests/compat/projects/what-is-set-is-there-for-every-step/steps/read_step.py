config = {"type": "event", "name": "ReadOrder", "subscribes": ["order.saved"], "emits": []}


async def handler(input, context):
    order = await context.state.get("orders", input["id"])
    context.logger.info("Found", {"total": order["total"]})
