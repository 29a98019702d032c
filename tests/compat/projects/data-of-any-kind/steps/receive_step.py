config = {"type": "event", "name": "Receive", "subscribes": ["sent"], "emits": []}


async def handler(input_data, context):
    context.logger.info("got", {"value": input_data})
