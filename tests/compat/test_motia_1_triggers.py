"""Motia 1.0's triggers and configs: section 14.1."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from compat.rules import rule

from motia_celery.testing import StepTester


async def started(app: StepTester) -> list[str]:
    """By what each run was started, as the Steps have logged it."""
    await app.settle()
    return [line.data["by"] for line in await app.logs() if line.data]


@rule("14.1", "A config without `type` has `triggers`: requests, topics and crons start one Step")
@rule("14.1", "`name`, `description`, `flows` and `enqueues` stand beside `triggers`")
async def test_one_step_has_several_triggers(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/orders", json={"id": 7})
        await app.emit("order.imported", {"id": 8})
        await app.tick("TakeOrder")
        assert await started(app) == ["http", "queue", "cron"]
        (taken,) = await app.emits("order.taken")
    assert (answer.status_code, answer.json(), taken.data) == (201, {"taken": 7}, {"id": 7})


@rule("14.1", "A trigger may be a plain dict of type `http`, `queue`, `cron`, `state` or `stream`")
async def test_triggers_are_plain_dicts_too(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/report")
        await app.emit("report.wanted", {})
        await app.tick("Report")
        await app.settle()
        kinds = {run.trigger for run in await app.runs("Report")}
    assert answer.json() == ["http"]
    assert kinds == {"http", "event", "cron", "state", "stream"}


@rule("14.1", "In Python configs and triggers may be objects: `StepConfig`, `ApiTrigger`, …")
@rule("14.1", "A stream may be a `StreamConfig`, whose `Stream` other files import")
async def test_configs_may_be_objects(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/typed")
        for go in (True, False):
            await app.emit("typed", {"go": go})
        await app.tick("Typed")
        await app.settle()
        runs, step = await app.runs("Typed"), app.plan.step("Typed")
        schemas = [stream.schema for stream in app.plan.streams]
    assert answer.json() == ["b"]
    assert sorted(run.trigger for run in runs) == [
        "cron",
        "event",
        "event",
        "http",
        "state",
        "stream",
    ]
    assert {run.status for run in runs} == {"completed"}
    assert step and [emit.topic for emit in step.emits] == ["typed", "later"]
    assert [emit.topic for emit in step.virtual_emits] == ["drawn"]
    assert all(schemas)


@rule("14.1", "TypeScript has `http`, `queue`, `cron`, `state`, `stream` from `'motia'`")
@rule("14.1", "In TypeScript a condition is the last argument, or an option: `{ condition }`")
@rule("14.1", "`stream(name, condition)` may leave out the options")
async def test_typescript_lists_triggers(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/orders/berlin", json={})
        await app.emit("order.imported", {"from": "order.imported"})
        await app.emit("order.imported", {"from": "order.made"})
        await app.tick("Mixed")
        await app.settle()
        told = [(line.data["index"], line.data) for line in await app.logs() if line.data]
    assert (answer.status_code, answer.json()) == (201, {"index": 0})
    assert [one[1] for one in sorted(told, key=lambda one: one[0])] == [
        {"type": "http", "index": 0, "place": {"method": "POST", "path": "/orders/:shop"}},
        {"type": "queue", "index": 1, "place": {"topic": "order.made"}},
        {"type": "queue", "index": 2, "place": {"topic": "order.imported"}},
        {"type": "cron", "index": 3, "place": {"expression": "0 0 9 * * *"}},
        {"type": "state", "index": 4, "place": {}},
        {"type": "stream", "index": 5, "place": {}},
        {"type": "stream", "index": 6, "place": {}},
    ]


@rule("14.1", "A Step may have several http triggers, each with its method and path")
async def test_several_requests_start_a_step(app: StepTester) -> None:
    async with app:
        got = [
            (await app.client.request(*asked)).json()
            for asked in (("GET", "/users/1"), ("PUT", "/users/2"), ("POST", "/users"))
        ]
    assert got == [
        [0, "GET", "/users/:id", "1"],
        [1, "PUT", "/users/:id", "2"],
        [2, "POST", "/users", None],
    ]


@rule("14.1", "A Step may have several queue triggers, one for each topic")
async def test_several_topics_start_a_step(app: StepTester) -> None:
    async with app:
        await app.emit("order.made", {"id": 1})
        await app.emit("order.paid", {"id": 2})
        await app.settle()
        told = {line.message: line.data for line in await app.logs()}
    assert told == {
        "order.made": {"index": 0, "data": {"id": 1}},
        "order.paid": {"index": 1, "data": {"id": 2}},
    }


@rule("14.1", "`api(method, path)` is the older name of `http`")
async def test_api_and_emits_still_work(app: StepTester) -> None:
    async with app:
        assert (await app.client.get("/old")).json() == ["http", True]


@rule(
    "14.1", "`enqueues` lists topics: texts, or `{topic, label, conditional}`; it forbids no other"
)
@rule("14.1", "`virtualEnqueues` and `virtualSubscribes` are only drawn; `includeFiles` is taken")
async def test_enqueues_name_the_topics(app: StepTester) -> None:
    async with app:
        await app.emit("send", {})
        await app.settle()
        heard = [line.message for line in await app.logs("info")]
        step = app.plan.step("Send")
    assert sorted(heard) == ["fax.wanted", "mail.wanted", "sms.wanted"]
    assert step and step.virtual_subscribes == ("mail.shown",)


@rule("14.1", "A cron `expression` has six fields with the seconds first, or seven with the year")
@rule("14.1", "The input of a tick is None")
async def test_expressions_begin_with_seconds(project: Path) -> None:
    start = datetime(2030, 12, 31, 23, 59, tzinfo=UTC)
    async with StepTester(project, now=start, timezone="UTC") as app:
        await app.advance(60)
        assert [line.message for line in await app.logs()] == ["six"] * 3
        await app.advance(60)
        await app.settle()
        messages = [line.message for line in await app.logs()]
        (line,) = (await app.logs())[:1]
    assert line.data == {"input": None, "expression": "*/20 * * * * *"}
    assert {name: messages.count(name) for name in ("six", "seven", "five")} == {
        "six": 6,
        "seven": 1,
        "five": 1,
    }


@rule("14.1", "Of several cron triggers `ctx.trigger.index` and `expression` tell which it was")
@rule("14.1", "Two cron triggers that are due at once start two runs")
async def test_several_crons_start_a_step(project: Path) -> None:
    start = datetime(2030, 1, 1, 8, tzinfo=UTC)
    async with StepTester(project, now=start, timezone="UTC") as app:
        await app.advance(24 * 3600)
        await app.settle()
        told = [(line.message, line.data) for line in await app.logs("info") if line.data]
    reports = [
        {"index": 0, "expression": "0 0 9 * * *"},
        {"index": 1, "expression": "0 0 18 * * *"},
    ]
    assert [data for name, data in told if name == "report"] == reports
    assert sorted(data["index"] for name, data in told if name == "digest") == [0, 2]


@rule("14.1", "A queue trigger's `config` has `maxRetries`, `backoffType` and `backoffDelayMs`")
@rule("14.1", "`visibilityTimeout` and `concurrency` in a queue's `config` are taken")
async def test_a_queue_says_how_often_and_when(app: StepTester) -> None:
    async with app:
        before = app.now
        await app.emit("order.made", {})
        await app.settle()
        charge, refund = await app.run("Charge"), await app.run("Refund")
        waited = (app.now - before).total_seconds()
    assert (charge.status, charge.attempts) == ("failed", 3)
    assert (refund.status, refund.attempts) == ("failed", 1)
    assert 10 <= waited < 15


@rule(
    "14.1",
    "Each queue trigger of a Step has a queue with a `config` of its own",
    different="a Step has one queue, which its triggers share, so that `concurrency` and order "
    "hold for the Step; the first `config` counts, and `check` names another that differs",
)
async def test_queue_triggers_share_a_queue(app: StepTester) -> None:
    async with app:
        await app.emit("first")
        await app.emit("second")
        await app.settle()
        runs = await app.runs("Mixed")
        (problem,) = app.plan.problems
    assert [run.attempts for run in runs] == [2, 2]
    assert problem.severity == "warning" and problem.field == "triggers.1.config"


@rule("14.1", "A queue's `delaySeconds` holds events back")
@rule("14.1", "`type: 'fifo'` with `messageGroupId` runs the events of a group in order")
async def test_a_queue_may_be_late_or_in_order(app: StepTester) -> None:
    async with app:
        await app.emit("order.made", {})
        await app.emit("make")
        await app.settle()
        numbers = [line.data["number"] for line in await app.logs() if line.step == "Change"]
        assert await app.runs("Remind") == []
        await app.advance(61)
        await app.settle()
        assert len(await app.runs("Remind")) == 1
    assert [n for n in numbers if n % 2] == [1, 3, 5]
    assert [n for n in numbers if not n % 2] == [0, 2, 4]


@rule("14.1", "`condition(input, ctx)`, `def` or `async def`, decides: false skips the handler")
@rule(
    "14.1",
    "A request whose condition is false is not handled",
    better="it is answered: 422 with `{error, skipped: true}`",
)
async def test_a_condition_decides_whether_it_runs(app: StepTester) -> None:
    async with app:
        refused = await app.client.get("/large")
        friendly = await app.client.get("/large", headers={"x-friend": "yes"})
        for amount in (50, 100, 150):
            await app.emit("order.made", {"amount": amount})
        await app.tick("Large")
        await app.settle()
        ran = [line.data["by"] for line in await app.logs() if line.message == "ran"]
        statuses = {run.status for run in await app.runs()}
    assert (refused.status_code, refused.json()["skipped"]) == (422, True)
    assert friendly.text == "ran"
    assert ran == ["http", "queue"]
    assert statuses == {"completed"}


@rule("14.1", "The condition of a request gets the request; in TypeScript `{ request }` works too")
async def test_conditions_of_requests_get_the_request(app: StepTester) -> None:
    async with app:
        for path in ("/old", "/new", "/python"):
            ran = await app.client.post(path, json={"ok": True}, headers={"x-ok": "1"})
            skipped = await app.client.post(path, json={"ok": True}, headers={"x-ok": "0"})
            assert (ran.status_code, skipped.status_code) == (200, 422), path


@rule(
    "14.1",
    "A condition may fail",
    better="that fails the run, which is tried again and then a dead letter, and is not lost",
)
async def test_a_condition_that_fails_fails_the_run(app: StepTester) -> None:
    async with app:
        await app.emit("order.made", {})
        await app.settle()
        run = await app.run("Large")
        assert len(await app.dead_letters("Large")) == 1
    assert (run.status, run.attempts) == ("failed", 4)
    assert run.error and run.error.type == "KeyError"


@rule("14.1", "`middleware` of an http trigger is around that trigger, outermost first")
async def test_triggers_of_requests_have_middleware(app: StepTester) -> None:
    async with app:
        good = await app.client.get("/users", headers={"x-name": "ann"})
        bad = await app.client.get("/users", headers={"x-name": "bob"})
        free = await app.client.get("/open")
    assert (good.status_code, good.json(), good.headers["x-greeting"]) == (200, ["ann"], "ann")
    assert (bad.status_code, bad.headers["x-greeting"]) == (403, "bob")
    assert (free.status_code, "x-greeting" in free.headers) == (200, False)


@rule("14.1", "In Python an `input` that is a pydantic model is what the handler gets")
@rule("14.1", "In Python an event that does not fit its `input` model fails the run")
async def test_queue_inputs_are_models(app: StepTester) -> None:
    async with app:
        await app.emit("order.made", {"id": "1", "amount": "2.5"})
        await app.emit("order.made", {"id": "2"})
        await app.settle()
        (line,) = await app.logs("info")
        good, bad = await app.runs("Charge")
    assert line.data == {"type": "Order", "amount": 2.5}
    assert (good.status, bad.status) == ("completed", "failed")


@rule("14.1", "In TypeScript an event that does not fit its `input` runs all the same")
@rule(
    "14.1",
    "In Python an event that does not fit an `input` of JSON Schema fails the run",
    different="it runs, with a warning, as in 0.17 and in TypeScript; `eventSchema: 'reject'` "
    "makes a dead letter of it",
)
async def test_schemas_of_inputs_warn(app: StepTester) -> None:
    async with app:
        await app.emit("order.made", {"amount": "much"})
        await app.settle()
        ran = {line.step: line.data for line in await app.logs("info")}
        warned = {line.step for line in await app.logs("warn")}
    assert ran == {step: {"data": {"amount": "much"}} for step in ("Charge", "Pack")}
    assert warned == {"Charge", "Pack"}


@rule("14.1", "Steps of 1.0 and of 0.17, in Python and TypeScript, share one project")
@rule("14.1", "Steps and streams are found below `steps/` and `src/`")
async def test_both_styles_share_a_project(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/orders", json={"id": "1"})
        await app.settle()
        (line,) = await app.logs("info")
        assert {run.status for run in await app.runs()} == {"completed"}
    assert answer.status_code == 201
    assert line.data == {"id": "1", "checked": True}
