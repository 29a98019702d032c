config = {
    "type": "event",
    "name": "Never",
    "subscribes": ["go"],
    "emits": [],
    "infrastructure": {"queue": {"maxRetries": 0}},
}


async def handler(input_data, context):
    raise RuntimeError("no")
