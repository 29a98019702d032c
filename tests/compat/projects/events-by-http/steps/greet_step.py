config = {"type": "event", "name": "Greet", "subscribes": ["greet"], "emits": []}


async def handler(input_data, context):
    await context.state.set("greeted", input_data["name"], {"by": "event"})
