config = {"type": "event", "name": "Classic", "subscribes": ["go"], "emits": []}


async def handler(input, context):
    await context.state.set("users", "ann", {"age": 1})
    await context.state.clear("users")
    await context.streams.notes.set("all", "1", {"text": "a"})
