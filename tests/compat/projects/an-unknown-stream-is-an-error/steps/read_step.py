config = {"type": "event", "name": "Read", "subscribes": ["read"], "emits": []}


async def handler(input, context):
    await context.streams.note.get("all", "1")
