config = {"type": "event", "name": "OfNothing", "subscribes": ["order"], "emits": [], "input": {}}


async def handler(input_data, context):
    context.logger.info("nothing", {"kind": type(input_data).__name__})
