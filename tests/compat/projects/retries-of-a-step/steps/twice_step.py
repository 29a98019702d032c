config = {
    "type": "event",
    "name": "Twice",
    "subscribes": ["go"],
    "emits": [],
    "infrastructure": {"queue": {"maxRetries": 1}},
}


async def handler(input_data, context):
    raise RuntimeError("no")
