"""Steps of Motia 1.0's style beside others, in the app's real processes."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from integration.apps import Project, wait_until
from servers import free_port

MIXED = """
from acts import note
from pydantic import BaseModel

from motia import ApiResponse, Stream, cron, enqueue, http, multi_trigger_step, queue, state
from motia import state_manager

orders = Stream("orders")


class Order(BaseModel):
    id: str
    amount: int


async def is_large(order, ctx):
    return order["amount"] > 10


async def is_no_robot(request):
    return request.headers.get("user-agent") != "robot"


async def on_http(request, ctx):
    if ctx.trigger.path == "/parts":
        await request.response.headers({"x-own": "é"})
        await request.response.stream(["a", b"b"])
        if "fails" in request.query_params:
            raise ValueError("half-way")
        return None
    if ctx.trigger.method == "GET":
        item = await orders.get("all", request.path_params["id"])
        return ApiResponse(status=200 if item else 404, body=item)
    await enqueue({"topic": "order.made", "data": request.body})
    return {"status_code": 202, "body": {"path": ctx.trigger.path, "index": ctx.trigger.index}}


async def on_large(order: Order, ctx):
    changed = await orders.set("all", order.id, order.model_dump())
    await state_manager.set("orders", "last", order.id)
    data = {"id": order.id, "old": changed["old_value"], "by": ctx.trigger.topic}
    await ctx.enqueue({"topic": "order.large", "data": data})


async def on_last(change, ctx):
    last = state_manager.get("orders", "last")
    note("state", "mixed", [change.item_id, change.new_value, last, ctx.trigger.index], ctx)


def on_tick(ctx):
    note("tick", "mixed", [ctx.trigger.expression, state_manager.get("orders", "last")], ctx)


config, handler = (
    multi_trigger_step(
        {
            "name": "mixed",
            "triggers": [
                http("GET", "/orders/:id"),
                http("POST", "/orders", body_schema=Order, condition=is_no_robot),
                queue("order.made", input=Order, condition=is_large),
                cron("0 0 0 29 2 *"),
                state(),
                http("GET", "/parts"),
                cron("* * * * * *"),
            ],
            "enqueues": ["order.made", "order.large"],
        }
    )
    .on_http(on_http)
    .on_queue(on_large)
    .on_cron(on_tick)
    .on_state(on_last)
    .handlers()
)
"""

STREAM = 'config = {"name": "orders"}\n'


class Shop:
    """A web process, a worker and beat, with Steps of both styles."""

    def __init__(self, project: Project) -> None:
        self.project = project
        project.step("mixed", ["order.made"], source=MIXED)
        project.step("classic", ["order.large"])
        (project.folder / "steps" / "orders_stream.py").write_text(STREAM)
        port = free_port()
        self._address = f"http://127.0.0.1:{port}"
        self.web = project.command("web", port=port, host="127.0.0.1")
        self.web.wait_for_line("web.ready")
        project.worker()

    def ask(self, method: str, path: str, **more: object) -> httpx.Response:
        return httpx.request(method, self._address + path, timeout=60, **more)  # type: ignore[arg-type]


def check(shop: Shop) -> None:
    """The rules that hold wherever the Steps run."""
    project = shop.project
    for id, amount in (("small", 1), ("large", 11)):
        answer = shop.ask("POST", "/orders", json={"id": id, "amount": amount})
        assert (answer.status_code, answer.json()) == (202, {"path": "/orders", "index": 1})
    (done,) = project.wait_for("classic", 1, seconds=60)
    assert done["data"] == {"id": "large", "old": None, "by": "order.made"}
    (changed,) = project.wait_for("mixed", 1, what="state", seconds=60)
    assert changed["data"] == ["last", "large", "large", 4]
    assert shop.ask("GET", "/orders/large").json()["amount"] == 11
    assert shop.ask("GET", "/orders/small").status_code == 404
    order = {"id": "x", "amount": 99}
    refused = shop.ask("POST", "/orders", json=order, headers={"user-agent": "robot"})
    assert (refused.status_code, refused.json()["skipped"]) == (422, True)
    parts = shop.ask("GET", "/parts")
    assert (parts.status_code, parts.text, parts.headers["x-own"]) == (200, "ab", "é")
    with pytest.raises(httpx.RemoteProtocolError):
        shop.ask("GET", "/parts?fails")
    project.command("beat")

    def ticked() -> bool:
        return ["* * * * * *", "large"] in [n["data"] for n in project.notes("mixed", "tick")]

    wait_until(ticked, "a tick of the mixed Step", 60)
    assert len(project.notes("classic", "done")) == 1


def test_both_styles_share_one_app(project: Project) -> None:
    check(Shop(project))


def test_isolated_runs_have_all_of_it_too(make_project: Callable[..., Project]) -> None:
    check(Shop(make_project(None, isolated_steps=True)))
