config = {
    "type": "event",
    "name": "Fine",
    "subscribes": ["go"],
    "emits": [],
    "infrastructure": {"handler": {"ram": 2048, "cpu": 1, "timeout": 30}},
}


async def handler(input_data, context):
    pass
