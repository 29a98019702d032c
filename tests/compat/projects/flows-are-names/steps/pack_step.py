config = {
    "type": "event",
    "name": "Pack",
    "subscribes": ["created"],
    "emits": [],
    "flows": ["orders"],
}


async def handler(input_data, context):
    pass
