config = {"type": "event", "name": "Secret", "subscribes": ["payment.secret"], "emits": []}


async def handler(input_data, context):
    pass
