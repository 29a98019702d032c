config = {
    "type": "event",
    "name": "Split",
    "subscribes": ["number"],
    "emits": [
        "even",
        {"topic": "odd", "label": "Not even", "conditional": True},
    ],
}


async def handler(input_data, context):
    topic = "odd" if input_data["n"] % 2 else "even"
    await context.emit({"topic": topic, "data": input_data})
