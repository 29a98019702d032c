config = {
    "type": "api",
    "name": "SaveOrder",
    "path": "/orders",
    "method": "POST",
    "emits": ["order.saved"],
}


async def handler(req, context):
    order = req["body"]
    saved = await context.state.set("orders", order["id"], order)
    await context.emit({"topic": "order.saved", "data": {"id": order["id"]}})
    return {"status": 200, "body": {"saved": saved}}
