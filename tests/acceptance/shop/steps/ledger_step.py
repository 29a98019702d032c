"""Notes the orders of each customer in their order; one order fails first."""

config = {
    "type": "event",
    "name": "ledger",
    "subscribes": ["order.placed"],
    "emits": [],
    "infrastructure": {"queue": {"type": "fifo"}},
    "retry": {"maxAttempts": 2, "delaySeconds": 1, "backoff": "fixed"},
}


async def handler(order, context):
    if order.get("smudged") and context.attempt == 1:
        raise ValueError("smudged")
    lines = await context.state.get("ledger", order["customer"]) or []
    await context.state.set("ledger", order["customer"], [*lines, order["id"]])
