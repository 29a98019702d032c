config = {
    "type": "event",
    "name": "Retries",
    "subscribes": ["go"],
    "emits": [],
    "infrastructure": {"queue": {"maxRetries": -1}},
}


async def handler(input_data, context):
    pass
