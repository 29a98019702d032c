config = {"type": "event", "name": "End", "subscribes": ["ended"], "emits": []}


async def handler(input_data, context):
    await context.state.set(context.trace_id, "end", {"middle": input_data["middle"]})
