config = {"type": "event", "name": "Keep", "subscribes": ["keep"], "emits": []}


async def handler(input, context):
    await context.state.set("orders", input["id"], {"total": input["total"]})
    await context.streams.notes.set("all", input["id"], {"text": "kept"})
