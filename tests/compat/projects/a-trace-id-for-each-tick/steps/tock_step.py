config = {"type": "event", "name": "Tock", "subscribes": ["ticked"], "emits": []}


async def handler(input_data, context):
    assert input_data["from"] == context.trace_id
