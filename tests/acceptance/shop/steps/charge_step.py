"""Charges the card; the order says how the gateway behaves."""

from .services import gateway

config = {
    "type": "event",
    "name": "charge",
    "subscribes": ["order.placed"],
    "emits": ["order.paid", "order.reminder"],
    "flows": ["shop"],
    "retry": {"maxAttempts": 3, "delaySeconds": 1, "backoff": "fixed", "never": ["CardDeclined"]},
}


async def handler(order, context):
    receipt = gateway.charge(order, context.attempt)
    await context.emit(topic="order.reminder", data={"id": order["id"]}, delay=3)
    await context.emit(topic="order.paid", data={"id": order["id"], "receipt": receipt})
