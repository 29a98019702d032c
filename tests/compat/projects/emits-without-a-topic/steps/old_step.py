config = {"type": "event", "name": "Old", "subscribes": ["old"], "emits": []}


async def handler(input_data, context):
    await context.emit({"type": "old.style", "data": {}})
