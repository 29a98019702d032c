config = {"type": "event", "name": "Both", "subscribes": ["both"], "emits": ["first"]}


async def handler(input_data, context):
    await context.emit({"topic": "first", "data": {"attempt": 1}})
    raise RuntimeError("after the emit")
