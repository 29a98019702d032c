config = {"type": "event", "name": "Odd", "subscribes": ["odd"], "emits": []}


async def handler(input_data, context):
    pass
