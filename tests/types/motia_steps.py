"""Steps of Motia 1.0 as users type them: `motia` is a module of types, and complains where it says so."""

from __future__ import annotations

from typing import Any

from motia import (
    ApiRequest,
    ApiResponse,
    FlowContext,
    Stream,
    cron,
    enqueue,
    http,
    logger,
    multi_trigger_step,
    queue,
    state_manager,
    step,
)
from pydantic import BaseModel


class Order(BaseModel):
    id: str
    amount: int = 1


def is_large(order: Order, ctx: FlowContext[Any]) -> bool:
    return order.amount > 100 and ctx.is_queue()


config: dict[str, Any] = {
    "name": "take-order",
    "triggers": [
        http("POST", "/orders", body_schema=Order),
        queue("order.imported", input=Order, condition=is_large),
        cron("0 3 * * *", timezone="Europe/Berlin"),
    ],
    "enqueues": ["order.taken"],
}
orders = Stream("orders")
typed_orders: Stream[Order] = Stream("orders")


async def handler(request: ApiRequest[Order], ctx: FlowContext[Any]) -> ApiResponse[Any]:
    order = request.body
    amount: int = order.amount
    await state_manager.set("orders", order.id, {"amount": amount})
    await enqueue({"topic": "order.taken", "data": order.model_dump()})
    await orders.set("all", order.id, order.model_dump())
    logger.info("Taken", {"by": ctx.trigger.type})
    return ApiResponse(status=201, body={"id": order.id})


async def bare(request: ApiRequest, ctx: FlowContext) -> ApiResponse:
    ctx.logger.info("Taken", {"body": request.body, "topic": ctx.trigger.topic})
    return ApiResponse(200, None)


async def on_queue(order: Order, ctx: FlowContext[None]) -> None:
    await ctx.enqueue({"topic": "order.taken", "data": order.model_dump()})


both = step(config, handler)
several = multi_trigger_step(config).on_http(handler).on_queue(on_queue).handlers()

http("POST")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
queue("order.taken", topics="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
