config = {"type": "event", "name": "Even", "subscribes": ["even"], "emits": []}


async def handler(input_data, context):
    pass
