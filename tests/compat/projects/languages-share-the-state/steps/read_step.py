config = {"type": "event", "name": "Read", "subscribes": ["read"], "emits": []}


async def handler(input, context):
    order = await context.state.get("shared", "order")
    context.logger.info("Read", {"order": order, **input})
    await context.state.set("shared", "answer", {"from": "python"})
