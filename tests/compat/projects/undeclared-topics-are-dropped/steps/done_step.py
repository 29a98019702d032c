config = {"type": "event", "name": "Done", "subscribes": ["payment.done"], "emits": []}


async def handler(input_data, context):
    pass
