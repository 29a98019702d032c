config = {"type": "event", "name": "Hurry", "subscribes": ["hurry"], "emits": []}


async def handler(input_data, context):
    context.state.set("seen", input_data["id"], {"seen": True})
    if input_data["id"] == "bad":
        context.state.set("seen", "broken", object())
