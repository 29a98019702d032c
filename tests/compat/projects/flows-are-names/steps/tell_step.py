config = {
    "type": "event",
    "name": "Tell",
    "subscribes": ["rejected"],
    "emits": [],
    "flows": ["audit", "orders"],
}


async def handler(input_data, context):
    pass
