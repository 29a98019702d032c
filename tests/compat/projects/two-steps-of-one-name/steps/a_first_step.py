config = {"type": "event", "name": "Same", "subscribes": ["one"], "emits": []}


async def handler(input_data, context):
    context.logger.info("first")
