"""Charges the card. The gateway fails now and then; the framework tries again."""

from .services.gateway import charge

config = {
    "type": "event",
    "name": "charge-card",
    "description": "Charges the card at the payment gateway",
    "subscribes": ["order.reserved"],
    "emits": ["order.paid"],
    "flows": ["orders"],
    # Five attempts, with a growing pause; then the event is a dead letter.
    "infrastructure": {"handler": {"timeout": 10}, "queue": {"maxRetries": 4}},
}


async def handler(order, context):
    # The run's id is the same on every attempt, so the gateway never charges twice.
    receipt = await charge(order, idempotency_key=context.run_id, attempt=context.attempt)
    context.logger.info("Card charged", {"order": order["id"], "attempt": context.attempt})
    await context.emit(topic="order.paid", data={**order, "receipt": receipt})
