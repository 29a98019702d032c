config = {
    "type": "event",
    "name": "NoSchema",
    "subscribes": ["none"],
    "emits": [],
    "input": None,
}


async def handler(input_data, context):
    pass
