config = {
    "type": "event",
    "name": "Ship",
    "subscribes": ["order.placed", "order.resent"],
    "emits": [],
    "flows": ["shipping"],
}


async def handler(input_data, context):
    await context.state.set("shipped", input_data["id"], {"of": context.flows})
