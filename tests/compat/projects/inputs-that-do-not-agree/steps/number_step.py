config = {
    "type": "event",
    "name": "Number",
    "subscribes": ["value"],
    "emits": [],
    "input": {"type": "object", "properties": {"value": {"type": "number"}}},
}


async def handler(input_data, context):
    pass
