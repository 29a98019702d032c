config = {
    "type": "event",
    "name": "Bill",
    "subscribes": ["order.placed"],
    "emits": [],
    "flows": ["billing"],
}


async def handler(input_data, context):
    input_data["id"] = "changed"
    await context.state.set("flows", "bill", {"of": context.flows})
