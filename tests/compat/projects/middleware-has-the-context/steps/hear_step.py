config = {
    "type": "event",
    "name": "Hear",
    "subscribes": ["metered", "not.declared"],
    "emits": [],
}


async def handler(input_data, context):
    pass
