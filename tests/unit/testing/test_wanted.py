"""Handlers get instances of the pydantic models that their annotations name."""

from __future__ import annotations

import pytest
from unit.testing.conftest import Write

from motia_celery.testing import StepTester, call_step

MODELS = """
from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, field_validator

from motia_celery import Request

if TYPE_CHECKING:
    from motia_celery import Context


class Order(BaseModel):
    id: str
    quantity: int = 1

    @field_validator("id")
    @classmethod
    def _known(cls, id):
        if id == "unknown":
            raise ValueError("no such order")
        return id

"""
EVENT = (
    MODELS
    + """
config = {{
    "type": "event",
    "name": "take",
    "subscribes": ["go"],
    "emits": [],
    {more}
}}


{define} handler(data: {annotation}, context: Context) -> None:
    {call}context.state.set("taken", "it", [type(data).__name__, repr(data)])
"""
)
ROUTE = (
    MODELS
    + """
config = {
    "type": "api",
    "name": "post",
    "method": "POST",
    "path": "/orders/:place",
    "emits": [],
    "middleware": [lambda req, context, next_fn: seen.append(type(req["body"])) or next_fn()],
}
seen = []


async def handler(req: Request[Order], context: Context) -> dict[str, object]:
    order = req.body
    assert req["body"] is order and req.path_params["place"] == "here"
    return {"status": 200, "body": {"next": order.quantity + 1, "method": req.method}}
"""
)


def event(
    annotation: str = "Order", *, define: str = "async def", call: str = "await ", more: str = ""
) -> str:
    return EVENT.format(annotation=annotation, define=define, call=call, more=more)


@pytest.mark.parametrize(
    ("annotation", "data", "taken"),
    [
        ("Order", {"id": "1"}, ["Order", "Order(id='1', quantity=1)"]),
        ("Order | None", None, ["NoneType", "None"]),
        ("list[Order]", [{"id": "1"}], ["list", "[Order(id='1', quantity=1)]"]),
        ("dict[str, int]", {"id": "1"}, ["dict", "{'id': '1'}"]),
        ("Unknown", {"id": "1"}, ["dict", "{'id': '1'}"]),
    ],
)
async def test_an_event_comes_as_what_the_handler_names(
    project: Write, annotation: str, data: object, taken: list[str]
) -> None:
    async with StepTester(project(take=event(annotation))) as app:
        await app.emit("go", data)
        await app.settle()
        assert await app.state.get("taken", "it") == taken
        assert (await app.run("take")).input == data


async def test_so_it_does_in_a_thread_and_in_a_process_of_its_own(project: Write) -> None:
    isolated = '"infrastructure": {"handler": {"isolated": True}},'
    root = project(take=event(define="def", call="", more=isolated))
    async with StepTester(root) as app:
        await app.emit("go", {"id": "1"})
        await app.emit("go", {"id": "unknown"})
        await app.settle()
        assert (await app.state.get("taken", "it"))[0] == "Order"
        (letter,) = await app.dead_letters()
        assert (letter.reason, letter.attempts) == ("misfit", 1)


async def test_an_event_that_does_not_fit_is_buried_at_once(project: Write) -> None:
    async with StepTester(project(take=event())) as app:
        await app.emit("go", {"id": "unknown", "quantity": "many"})
        (run,) = await app.settle()
        assert (run.status, run.attempts) == ("failed", 1)
        assert run.error.type == "InputMismatchError"
        assert "id: Value error, no such order; quantity: Input should be" in run.error.message
        (letter,) = await app.dead_letters()
        assert letter.reason == "misfit"


async def test_the_annotation_is_the_schema_where_the_config_has_none(project: Write) -> None:
    async with StepTester(project(take=event(), post=ROUTE)) as app:
        (trigger,) = app.plan.step("take").events
        assert trigger.input_schema["properties"].keys() == {"id", "quantity"}
        (route,) = app.plan.step("post").http
        assert (route.validate_body, route.body_schema["title"]) == (True, "Order")
    own = event(more='"input": {"type": "object"},').replace('"take"', '"own"')
    async with StepTester(project(own=own)) as app:
        (trigger,) = app.plan.step("own").events
        assert trigger.input_schema == {"type": "object"}


async def test_a_request_brings_its_body_as_a_model(project: Write) -> None:
    async with StepTester(project(post=ROUTE)) as app:
        answer = await app.client.post("/orders/here", json={"id": "1", "quantity": 4})
        assert (answer.status_code, answer.json()) == (200, {"next": 5, "method": "POST"})
        assert app.module("post").seen == [dict]  # middleware sees what came


@pytest.mark.parametrize(
    ("body", "path"), [({"quantity": 1}, "/id"), ({"id": "unknown"}, "")], ids=str
)
async def test_a_body_that_does_not_fit_is_the_clients_mistake(
    project: Write, body: object, path: str
) -> None:
    async with StepTester(project(post=ROUTE)) as app:
        answer = await app.client.post("/orders/here", json=body)
        assert (answer.status_code, answer.json()["error"]) == (400, "Validation failed")
        assert [detail["path"] for detail in answer.json()["details"]] == [path]


async def test_a_handler_that_is_called_alone_gets_it_too(project: Write) -> None:
    root = project(take=event())
    called = await call_step("steps/take_step.py", {"id": "1"}, root=root)
    assert called.state["taken"]["it"][0] == "Order"
