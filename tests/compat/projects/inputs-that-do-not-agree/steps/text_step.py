config = {
    "type": "event",
    "name": "Text",
    "subscribes": ["value"],
    "emits": [],
    "input": {"type": "object", "properties": {"value": {"type": "string"}}},
}


async def handler(input_data, context):
    pass
