config = {
    "type": "event",
    "name": "Drawn",
    "subscribes": ["drawn"],
    "virtualSubscribes": ["real"],
    "emits": [],
    "flows": ["f"],
}


async def handler(input_data, context):
    pass
