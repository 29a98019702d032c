from motia import enqueue, http, state_manager

config = {"name": "Order", "triggers": [http("POST", "/orders")], "enqueues": ["order.made"]}


async def handler(request, ctx):
    await state_manager.set("orders", "1", {})
    await enqueue({"topic": "order.made", "data": {}})
    return {"status": 200, "body": {}}
