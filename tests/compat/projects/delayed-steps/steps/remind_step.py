config = {
    "type": "event",
    "name": "Remind",
    "subscribes": ["cart.left"],
    "emits": [],
    "infrastructure": {"queue": {"delaySeconds": 900}},
}


async def handler(input_data, context):
    pass
