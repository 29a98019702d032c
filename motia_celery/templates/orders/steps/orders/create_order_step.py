"""POST /orders: accepts an order and lets the rest of the flow happen by events."""

from pydantic import BaseModel, Field


class Order(BaseModel):
    item: str = Field(examples=["lamp"])
    quantity: int = Field(1, ge=1, le=100)
    email: str


config = {
    "type": "api",
    "name": "create-order",
    "description": "Accepts an order",
    "method": "POST",
    "path": "/orders",
    "bodySchema": Order,
    "responseSchema": {202: {"type": "object", "properties": {"orderId": {"type": "string"}}}},
    "validateBody": True,
    "emits": ["order.created"],
    "flows": ["orders"],
}


async def handler(req, context):
    order = {"id": context.run_id[:8], "status": "accepted", **req["body"]}
    await context.state.set("orders", order["id"], order)
    shown = {"item": order["item"], "status": order["status"]}
    await context.streams.orders.set(order["email"], order["id"], shown)
    await context.emit({"topic": "order.created", "data": order})
    context.logger.info("Order accepted", {"order": order["id"], "item": order["item"]})
    return {"status": 202, "body": {"orderId": order["id"]}}
