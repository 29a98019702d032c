config = {"type": "api", "name": "ListOrders", "path": "/orders", "method": "GET", "emits": []}


async def handler(req, context):
    await context.state.set("orders", "1", 10)
    await context.state.set("orders", "2", 20)
    return {"status": 200, "body": await context.state.getGroup("orders")}
