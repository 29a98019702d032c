config = {"type": "event", "name": "Event", "subscribes": ["any"]}


async def handler(input_data, context):
    pass
