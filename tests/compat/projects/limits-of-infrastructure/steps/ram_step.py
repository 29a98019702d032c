config = {
    "type": "event",
    "name": "Ram",
    "subscribes": ["go"],
    "emits": [],
    "infrastructure": {"handler": {"ram": 64}},
}


async def handler(input_data, context):
    pass
