config = {"type": "event", "name": "Router", "subscribes": ["incoming"], "emits": []}


async def handler(input_data, context):
    await context.emit({"topic": input_data["to"], "data": {"from": "router"}})
