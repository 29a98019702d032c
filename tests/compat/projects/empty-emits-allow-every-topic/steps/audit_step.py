config = {"type": "event", "name": "Audit", "subscribes": ["audit.entry"], "emits": []}


async def handler(input_data, context):
    await context.state.set("audit", "entry", input_data)
