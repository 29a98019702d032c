"""Steps with lists of triggers beside Steps with a type, in one app in memory."""

from __future__ import annotations

from unit.testing.conftest import Write

from motia_celery.testing import StepTester, call_step

MIXED = """
from motia import enqueue, http, logger, queue, cron, state_manager, ApiResponse, FlowContext

def is_large(data, ctx):
    return data["amount"] > 10

config = {
    "name": "mixed",
    "triggers": [
        http("POST", "/orders"),
        http("GET", "/orders/:id"),
        queue("order.made", condition=is_large),
        cron("0 0 9 * * *"),
    ],
    "enqueues": ["order.made", "order.large"],
}


async def handler(given, ctx: FlowContext[dict]):
    return await ctx.match({"http": on_http, "queue": on_large, "cron": on_tick})


async def on_http(request, ctx):
    if ctx.trigger.method == "GET":
        found = await state_manager.get("orders", request.path_params["id"])
        return ApiResponse(status=200 if found else 404, body=found)
    await enqueue({"topic": "order.made", "data": request.body})
    return {"status_code": 202, "body": {"made": True}}


async def on_large(order):
    await state_manager.set("orders", order["id"], order)
    await enqueue({"topic": "order.large", "data": order})


async def on_tick():
    logger.info("nine o'clock")
"""

CLASSIC = """
config = {"type": "event", "name": "classic", "subscribes": ["order.large"], "emits": []}


async def handler(data, context):
    await context.state.set("seen", "large", data["id"])
"""


async def test_both_styles_run_in_one_app(project: Write) -> None:
    async with StepTester(project(mixed=MIXED, classic=CLASSIC)) as app:
        assert app.plan.problems == ()
        for id, amount in (("small", 1), ("large", 11)):
            answer = await app.client.post("/orders", json={"id": id, "amount": amount})
            assert (answer.status_code, answer.json()) == (202, {"made": True})
        await app.settle()
        assert (await app.client.get("/orders/large")).json()["amount"] == 11
        assert (await app.client.get("/orders/small")).status_code == 404
        assert await app.state.get("seen", "large") == "large"
        await app.tick("mixed")
        await app.settle()
        messages = [line.message for line in await app.logs("info")]
        assert "nine o'clock" in messages
        assert "Skipped: the condition of its queue trigger is false" in messages
        assert {run.status for run in await app.runs("mixed")} == {"completed"}


async def test_one_handler_is_called_by_the_trigger_that_a_test_names(project: Write) -> None:
    root = project(mixed=MIXED)
    order = {"id": "1", "amount": 11}
    by_topic = await call_step("steps/mixed_step.py", order, topic="order.made", root=root)
    assert [emit.topic for emit in by_topic.emits] == ["order.large"]
    by_clock = await call_step("steps/mixed_step.py", trigger="cron", root=root)
    assert [line.message for line in by_clock.logs] == ["nine o'clock"]
    by_request = await call_step("steps/mixed_step.py", body=order, root=root)
    assert by_request.result["status_code"] == 202


HEARING = """
from motia import Stream, multi_trigger_step, queue, state, state_manager, stream

audits = Stream("audits")


def is_order(change, ctx):
    return change.group_id == "orders"


async def on_queue(order, ctx):
    async with ctx.transaction() as tx:
        tx.state.set("orders", order["id"], order)


async def on_state(change):
    await audits.set("all", change.item_id, {"was": change.old_value})


def on_stream(change, ctx):
    told = [change.event.type, change.stream_name, change.event.data["was"], ctx.trigger.type]
    state_manager.set("seen", change["id"], told)


config, handler = (
    multi_trigger_step(
        {
            "name": "hearing",
            "triggers": [queue("order.made"), state(condition=is_order), stream("audits")],
        }
    )
    .on_queue(on_queue)
    .on_state(on_state)
    .on_stream(on_stream)
    .handlers()
)
"""


async def test_changes_start_the_steps_that_hear_them(project: Write) -> None:
    root = project(hearing=HEARING)
    (root / "steps" / "audits_stream.py").write_text('config = {"name": "audits"}\n')
    async with StepTester(root) as app:
        assert app.plan.problems == ()
        await app.emit("order.made", {"id": "1"})
        await app.settle()
        assert await app.state.get("seen", "1") == ["create", "audits", None, "stream"]
        await app.state.set("orders", "1", {"id": "2"})
        await app.settle()
        assert await app.state.get("seen", "1") == ["update", "audits", {"id": "1"}, "stream"]
        runs = await app.runs("hearing")
        assert {run.status for run in runs} == {"completed"}
        first, second, *_ = runs
        assert second.trace_id == first.trace_id


async def test_a_handler_of_changes_is_called_with_one(project: Write) -> None:
    change = {"type": "state", "group_id": "orders", "item_id": "1", "old_value": 1}
    root = project(hearing=HEARING)
    result = await call_step("steps/hearing_step.py", change, trigger="state", root=root)
    assert result.error is None


LOOPING = """
from motia import state

config = {"name": "looping", "triggers": [state()], "retry": {"maxAttempts": 1}}


async def handler(change, ctx):
    await ctx.state.set("counts", "n", change.new_value + 1)
"""


async def test_changes_do_not_start_each_other_for_ever(project: Write) -> None:
    async with StepTester(project(looping=LOOPING)) as app:
        await app.state.set("counts", "n", 0)
        await app.settle()
        assert await app.state.get("counts", "n") == 99
        (letter,) = await app.dead_letters()
        assert (letter.error.type, letter.topic) == ("ChangeLoopError", "motia.state.0")
