config = {
    "type": "event",
    "name": "Charge",
    "subscribes": ["charge"],
    "emits": [],
    "input": {
        "type": "object",
        "properties": {
            "amount": {"type": "number"},
            "card": {"type": "object", "properties": {"number": {"type": "string"}}},
        },
        "required": ["amount"],
    },
}


async def handler(input_data, context):
    await context.state.set("charges", "last", {"input": input_data})
