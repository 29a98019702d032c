"""Steps as users type them. mypy and pyright accept each line, or complain where it says so."""

from __future__ import annotations

from typing import Any, assert_type

from pydantic import BaseModel

from motia_celery import (
    ApiRouteConfig,
    ApiStep,
    Context,
    CronConfig,
    CronStep,
    EmitConfig,
    EventConfig,
    EventStep,
    HandlerConfig,
    HandlerInfrastructureConfig,
    InfrastructureConfig,
    NoopConfig,
    NoopStep,
    QueryParamConfig,
    QueueConfig,
    Request,
    RetryConfig,
    StreamConfig,
    SyncContext,
)


class Order(BaseModel):
    id: str
    quantity: int = 1


# Typed objects

api = ApiStep(
    name="create",
    method="POST",
    path="/orders",
    emits=["order.created", EmitConfig(topic="order.refused", label="sold out")],
    flows=["orders"],
    body_schema=Order,
    response_schema={201: Order, 400: {"type": "object"}},
    query_params=[QueryParamConfig(name="dry")],
    validate_body=True,
    infrastructure=HandlerInfrastructureConfig(handler=HandlerConfig(timeout=5)),
)
event = EventStep(
    name="notify",
    subscribes=["order.*"],
    input=Order,
    retry=RetryConfig(max_attempts=5, backoff=[1, 5, 30], never=[ValueError, "CardDeclined"]),
    infrastructure=InfrastructureConfig(queue=QueueConfig(type="fifo", concurrency=2)),
    once=True,
    event_schema="reject",
)
cron = CronStep(name="nightly", cron="0 3 * * *", timezone="Europe/Berlin")
noop = NoopStep(name="mail", virtual_emits=["mail.read"], virtual_subscribes=["mail.sent"])
stream = StreamConfig(name="orders", schema=Order)

ApiStep(name="x", path="/x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
ApiStep(name="x", path="/x", method="FETCH")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
EventStep(name="x", subscribes=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
EventStep(name="x", subscribes=["a"], input=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
EventStep(name="x", subscribes=["a"], onec=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
CronStep(name="x", cron="@daily", retry={"on": []})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# Dicts

api_dict: ApiRouteConfig = {
    "type": "api",
    "name": "create",
    "method": "POST",
    "path": "/orders",
    "emits": ["order.created", {"topic": "order.refused", "label": "sold out"}],
    "bodySchema": Order,
    "responseSchema": {201: Order, 400: {"type": "object"}},
    "queryParams": [{"name": "dry"}],
}
event_dict: EventConfig = {
    "type": "event",
    "name": "notify",
    "subscribes": ["order.*"],
    "emits": [],
    "input": Order.model_json_schema(),
    "infrastructure": {"queue": {"type": "fifo", "maxRetries": 5}, "handler": {"timeout": 30}},
    "retry": {"backoff": [1, 5], "on": [ConnectionError]},
}
cron_dict: CronConfig = {"type": "cron", "name": "nightly", "cron": "0 3 * * *"}
noop_dict: NoopConfig = {"type": "noop", "name": "mail"}

misspelt: EventConfig = {"type": "event", "name": "x", "subscribe": []}  # type: ignore[typeddict-item, typeddict-unknown-key]  # pyright: ignore[reportAssignmentType]
nameless: CronConfig = {"type": "cron", "cron": "@daily"}  # type: ignore[typeddict-item]  # pyright: ignore[reportAssignmentType]

# Handlers


async def on_event(order: Order, context: Context) -> None:
    assert_type(await context.emit(topic="order.paid", data=order.model_dump()), bool)
    assert_type(await context.state.get("orders", order.id), Any)
    assert_type(await context.state.compare_and_set("orders", order.id, None, {}), bool)
    updated = await context.state.update("stock", "lamp", [{"type": "increment", "path": "n"}])
    assert_type(updated["new_value"], Any)
    assert_type(await context.state.list_groups(), list[str])
    assert_type(await context.streams.orders.get("all", order.id), dict[str, Any] | None)
    assert_type(await context.streams["orders"].get_group("all"), list[dict[str, Any]])
    async with context.transaction() as transaction:
        transaction.state.set("orders", order.id, 1)
        transaction.emit(topic="order.paid")
    context.logger.info("Paid", {"attempt": context.attempt, "of": context.max_attempts})
    assert_type(context.topic, str | None)
    context.emit({"topic": "a"}, speed=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    context.publish("a")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def on_event_in_a_thread(order: Order, context: SyncContext) -> None:
    assert_type(context.emit(topic="order.paid", data={"id": order.id}), bool)
    assert_type(context.state.get_group("orders"), list[Any])
    assert_type(context.streams.orders.set("all", order.id, {}), dict[str, Any] | None)
    with context.transaction() as transaction:
        transaction.state.delete("orders", order.id)


async def on_request(req: Request[Order], context: Context) -> dict[str, Any]:
    assert_type(req.body, Order)
    assert_type(req.path_params["id"], str)
    assert_type(req.method, str)
    req.body.colour = 1  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    return {"status": 200, "body": req.body.model_dump()}


async def on_untyped_request(req: Request, context: Context) -> dict[str, Any]:
    assert_type(req.body, Any)
    return {"status": 200, "body": req["body"]}


# Tests of them


async def test_on_event() -> None:
    from motia_celery.testing import RunResult, StepTester, call_step

    called = await call_step("steps/notify_step.py", {"id": "1"}, state={"orders": {"1": {}}})
    assert_type(called.emits[0].topic, str)
    async with StepTester() as app:
        assert_type(await app.settle(), list[RunResult])
        assert_type((await app.run("notify")).status == "completed", bool)
