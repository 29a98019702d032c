config = {"type": "event", "name": "Same", "subscribes": ["two"], "emits": []}


async def handler(input_data, context):
    context.logger.info("second")
