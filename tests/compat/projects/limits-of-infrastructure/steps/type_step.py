config = {
    "type": "event",
    "name": "Type",
    "subscribes": ["go"],
    "emits": [],
    "infrastructure": {"queue": {"type": "priority"}},
}


async def handler(input_data, context):
    pass
