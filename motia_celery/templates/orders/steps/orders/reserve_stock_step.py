"""Reserves stock for a new order, or turns the order away."""

from .services.warehouse import reserve

config = {
    "type": "event",
    "name": "reserve-stock",
    "description": "Reserves stock",
    "subscribes": ["order.created"],
    "emits": [
        "order.reserved",
        {"topic": "order.rejected", "label": "sold out", "conditional": True},
    ],
    "flows": ["orders"],
}


async def handler(order, context):
    if await reserve(context.state, order["item"], order["quantity"]):
        await context.emit(topic="order.reserved", data=order)
        return
    context.logger.warn("Sold out", {"item": order["item"]})
    await context.emit(topic="order.rejected", data={**order, "reason": "sold out"})
