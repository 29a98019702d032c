config = {
    "type": "event",
    "name": "Apply",
    "subscribes": ["account.changed"],
    "emits": [],
    "infrastructure": {"queue": {"type": "standard"}},
}


async def handler(input_data, context):
    pass
