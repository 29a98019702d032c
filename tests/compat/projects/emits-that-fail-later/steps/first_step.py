config = {"type": "event", "name": "First", "subscribes": ["first"], "emits": []}


async def handler(input_data, context):
    pass
