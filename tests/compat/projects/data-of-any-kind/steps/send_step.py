config = {"type": "event", "name": "Send", "subscribes": ["send"], "emits": ["sent"]}

VALUES = [{"a": {"b": [1, None]}}, [1, 2], "text", 7, 1.5, True, None]


async def handler(input_data, context):
    for value in VALUES:
        await context.emit({"topic": "sent", "data": value})
    await context.emit({"topic": "sent"})
