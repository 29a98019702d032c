from motia import enqueue, queue, state_manager

config = {"name": "Check", "triggers": [queue("order.created")], "enqueues": ["order.checked"]}


async def handler(input_data, ctx):
    order = await state_manager.get("orders", input_data["id"])
    await enqueue({"topic": "order.checked", "data": {**order, "checked": True}})
