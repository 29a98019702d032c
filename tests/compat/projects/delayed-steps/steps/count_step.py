config = {"type": "event", "name": "Count", "subscribes": ["cart.left"], "emits": []}


async def handler(input_data, context):
    pass
