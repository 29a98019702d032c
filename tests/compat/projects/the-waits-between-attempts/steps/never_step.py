config = {"type": "event", "name": "Never", "subscribes": ["go"], "emits": []}


async def handler(input_data, context):
    raise RuntimeError("no")
