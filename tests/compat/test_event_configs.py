"""Configs of event Steps, and their queues: section 2.2."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from compat.rules import rule

from motia_celery.testing import StepTester

NOW = datetime(2030, 1, 1)


@rule("2.2", "`subscribes` is a list: an event of any of its topics starts the Step")
async def test_several_topics(app: StepTester) -> None:
    async with app:
        for topic in ("order.paid", "order.refused", "order.other"):
            await app.emit(topic, {"id": topic})
        runs = await app.settle()
    assert [(run.step, run.topic) for run in runs] == [
        ("Notify", "order.paid"),
        ("Notify", "order.refused"),
    ]


@rule(
    "2.2",
    "Data that does not fit `input` is a warning that says what is wrong; the handler runs",
    better="`eventSchema`, or the setting `event_schema`, can have it refused at its emit, or made "
    "a dead letter",
)
@rule("2.2", "An emit is not checked against any schema")
async def test_inputs_are_only_warned_of(project: Path) -> None:
    async def charged(app: StepTester, data: object) -> object:
        answer = await app.client.post("/charges", json={"data": data})
        await app.settle()
        last = await app.state.get("charges", "last") or {}
        return answer.status_code, last.get("input")

    async with StepTester(project) as app:
        assert await charged(app, {"amount": 1, "extra": 2}) == (202, {"amount": 1, "extra": 2})
        assert await app.logs("warn") == []
        wrong = {"amount": "1", "card": {"number": 4}}
        assert await charged(app, wrong) == (202, wrong)
        assert await charged(app, "text") == (202, "text")
        warnings = [f"{line.message} {line.data}" for line in await app.logs("warn")]
        assert {run.status for run in await app.runs()} == {"completed"}
    assert len(warnings) == 2
    assert "amount" in warnings[0]
    assert "number" in warnings[0]
    async with StepTester(project, event_schema="refuse") as app:
        assert await charged(app, {}) == (500, None)


@rule("2.2", "`input` is JSON Schema, or empty; data reaches the handler as a dict in any case")
@rule(
    "2.2",
    "`input` as a pydantic class fails",
    better="It is the schema of the class",
)
async def test_inputs_of_every_kind(app: StepTester) -> None:
    async with app:
        await app.emit("order", {"id": "1"})
        await app.emit("order", {"no": "id"})
        await app.settle()
        kinds = sorted((line.message, line.data["kind"]) for line in await app.logs("info"))
        warned = sorted(line.step for line in await app.logs("warn"))
    assert kinds == [(name, "dict") for name in ("class", "model", "nothing") for _ in range(2)]
    assert warned == ["OfClass", "OfModel"]


@rule(
    "2.2",
    "`infrastructure.queue.maxRetries` is how often a failed run is tried again: 3 times without",
)
@rule("2.2", "Each subscriber of an event is tried again for itself")
async def test_retries_of_a_step(app: StepTester) -> None:
    async with app:
        await app.emit("go", {})
        runs = await app.settle()
    assert {run.step: run.attempts for run in runs} == {"Never": 1, "Twice": 2, "Default": 4}


@rule(
    "2.2",
    "Between attempts Motia waits for 2 seconds",
    different="The waits double, 2, 4, 8, … seconds, each less a random part, so that what is down "
    "is not overrun; `retry` in the config says otherwise",
)
async def test_the_waits_between_attempts(project: Path) -> None:
    async with StepTester(project, now=NOW) as app:
        await app.emit("go", {})
        attempts = []
        for seconds in (0.5, 1.5, 4, 8):
            await app.advance(seconds)
            attempts.append((await app.run("Never")).attempts)
        (run,) = await app.settle()
    assert attempts == [1, 2, 3, 4]
    assert run.status == "failed"


@rule(
    "2.2",
    "`infrastructure.queue.delaySeconds` is how long an event waits before the Step gets it; other "
    "Steps get it at once",
)
async def test_delayed_steps(project: Path) -> None:
    async with StepTester(project, now=NOW) as app:
        await app.emit("cart.left", {})
        first = [run.step for run in await app.settle()]
        await app.advance(899)
        early = [run.step for run in await app.settle()]
        await app.advance(1)
        later = [run.step for run in await app.settle()]
    assert (first, early, later) == (["Count"], [], ["Remind"])


@rule(
    "2.2",
    "Of a `fifo` queue the events of one `messageGroupId` are run one after the other, in their "
    "order; other groups beside them",
    better="None is lost, and it holds in all workers together. Motia drops an event whose group "
    "has one under way or kept, and orders in one process only",
)
async def test_order_within_a_group(app: StepTester) -> None:
    async with app:
        await app.client.post("/send")
        await app.settle()
        lines = [(line.message, line.data["number"]) for line in await app.logs("info")]
    for account, numbers in (("a0", (0, 2, 4)), ("a1", (1, 3, 5))):
        own = [line for line in lines if line[0].endswith(account)]
        wanted = [(f"{part} {account}", n) for n in numbers for part in ("begin", "end")]
        assert own == wanted


@rule(
    "2.2",
    "`messageGroupId` means nothing to a standard queue",
    better="Truly nothing: Motia drops later events of the group there too",
)
async def test_groups_of_a_standard_queue(app: StepTester) -> None:
    async with app:
        await app.client.post("/send")
        runs = await app.settle()
    assert sorted(run.input["number"] for run in runs if run.step == "Apply") == [0, 1, 2, 3]


@rule(
    "2.2",
    "`infrastructure.queue.concurrency` is how many runs of a Step are under way at once",
    better="It counts in all workers together, not in each process",
)
async def test_runs_at_once(app: StepTester) -> None:
    async with app:
        for number in range(6):
            await app.emit("render", {"number": number})
        await app.settle()
        lines = [line.message for line in await app.logs("info")]
    running, most = 0, 0
    for line in lines:
        running += 1 if line == "begin" else -1
        most = max(most, running)
    assert (len(lines), most) == (12, 2)


@rule("2.2", "`ram` and `cpu` are taken, and limit nothing: they are for Motia's cloud")
@rule("2.2", "A Step whose `infrastructure` is not valid does not run; the others do")
async def test_limits_of_infrastructure(faulty_app: StepTester) -> None:
    async with faulty_app as app:
        await app.emit("go", {})
        runs = await app.settle()
        fields = {problem.file: problem.field for problem in app.plan.problems}
    assert [run.step for run in runs] == ["Fine"]
    assert fields == {
        "steps/ram_step.py": "infrastructure.handler.ram",
        "steps/retries_step.py": "infrastructure.queue.maxRetries",
        "steps/type_step.py": "infrastructure.queue.type",
    }


@rule(
    "2.2",
    "`timeout` and `delaySeconds` go up to 900 seconds",
    better="A handler may take a day, and an event wait for 30 days",
)
async def test_longer_limits(project: Path) -> None:
    async with StepTester(project, now=NOW) as app:
        await app.emit("import", {})
        assert await app.settle() == []
        await app.advance(86400)
        (run,) = await app.settle()
        assert app.plan.problems == ()
    assert run.status == "completed"


@rule(
    "2.2",
    "A `visibilityTimeout` that is not longer than the handler's `timeout`, or a `cpu` that does "
    "not suit `ram`, keeps a Step from running",
    different="It runs: a message is kept for as long as its handler works, and `cpu` and `ram` "
    "limit nothing",
)
async def test_timeouts_that_do_not_fit_together(app: StepTester) -> None:
    async with app:
        await app.emit("report", {})
        (run,) = await app.settle()
    assert run.status == "completed"
