from motia import enqueue, logger, state_manager


async def take(order):
    logger.info("Taking", {"id": order["id"]})
    await state_manager.set("orders", order["id"], order)
    await enqueue({"topic": "order.taken", "data": {"id": order["id"]}})
