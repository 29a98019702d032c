config = {
    "type": "event",
    "name": "Default",
    "subscribes": ["go"],
    "emits": [],
    "infrastructure": {"queue": {"type": "standard", "visibilityTimeout": 60}},
}


async def handler(input_data, context):
    raise RuntimeError("no")
