config = {"type": "api", "name": "ListOrders", "path": "/orders", "method": "GET", "emits": []}


async def handler(req, context):
    for number in range(3):
        await context.state.set("orders", f"order-{number}", {"number": number})
    orders = await context.state.get_group("orders")
    total = sum(order["number"] for order in orders)
    unwrapped = [order.get("data", order)["number"] for order in orders]
    return {
        "status": 200,
        "body": {"total": total, "unwrapped": unwrapped, "none": await context.state.get_group("")},
    }
