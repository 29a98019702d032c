"""Closes an order and tells the customer, whether it was paid or turned away.

One Step for two topics: it could as well subscribe to ``order.*``.
"""

from motia_celery import EventStep

config = EventStep(
    name="notify",
    description="Tells the customer how the order ended",
    subscribes=["order.paid", "order.rejected"],
    flows=["orders"],
)


def handler(order, context):
    # A plain `def` works too: it runs in a thread, and calls give their values at once.
    status = "paid" if "receipt" in order else "rejected"
    context.state.set("orders", order["id"], {**order, "status": status})
    change = {"type": "set", "path": "status", "value": status}
    context.streams.orders.update(order["email"], order["id"], [change])
    context.logger.info(f"Told {order['email']}: the order is {status}", {"order": order["id"]})
