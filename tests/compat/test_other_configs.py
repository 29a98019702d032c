"""Configs of cron Steps, noops and streams, and what is only drawn: sections 2.3 to 2.6."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from compat.rules import rule

from motia_celery.testing import StepTester

DAY = 86400
#: A Tuesday.
NOW = datetime(2030, 1, 1)


@rule("2.3", "`cron` has five fields: minute, hour, day of month, month, weekday")
async def test_cron_with_five_fields(project: Path) -> None:
    async with StepTester(project, now=NOW) as app:
        await app.advance(3 * 3600)
        runs = await app.settle()
        logs = [line.data for line in await app.logs()]
    assert [run.step for run in runs] == ["Hourly"] * 3
    assert logs == [{"flows": ["reports"]}] * 3


@rule("2.3", "Or six, with seconds before them")
async def test_cron_with_six_fields(project: Path) -> None:
    async with StepTester(project, now=NOW) as app:
        await app.advance(60)
        runs = await app.settle()
    assert len(runs) == 4


@rule("2.3", "Fields take lists, ranges, steps, and names of months and weekdays; Sunday is 0 or 7")
@rule("2.3", "With both a day of month and a weekday, both must match")
async def test_cron_with_names_and_lists(project: Path) -> None:
    async with StepTester(project, now=NOW) as app:
        await app.advance(7 * DAY)
        week = [run.step for run in await app.settle()]
    async with StepTester(project, now=datetime(2030, 2, 10)) as app:
        await app.advance(30 * DAY)
        months = [run.step for run in await app.settle()]
    async with StepTester(project, now=datetime(2030, 9, 12)) as app:
        await app.advance(2 * DAY)
        thirteenth = [run.step for run in await app.settle()]
    assert (week.count("Weekdays"), week.count("Sunday"), week.count("Both")) == (10, 1, 0)
    assert months.count("Winter") == 2
    assert thirteenth.count("Both") == 1


@rule(
    "2.3",
    "The clock is that of the server's own time zone",
    different="It is that of the setting `timezone`, UTC without it, in every process on every "
    "machine; a Step may name its own `timezone`",
)
async def test_the_zone_of_a_cron_step(project: Path) -> None:
    async with StepTester(project, now=NOW) as app:
        await app.advance(8 * 3600)
        at_eight = len(await app.settle())
    async with StepTester(project, now=NOW, timezone="Asia/Tokyo") as app:
        await app.advance(22 * 3600)
        before = len(await app.settle())
        await app.advance(3600)
        tokyo = len(await app.settle())
    assert (at_eight, before, tokyo) == (1, 0, 1)


@rule(
    "2.3",
    "`infrastructure` makes a cron Step invalid: its runs have no time limit",
    better="Its `handler` part counts",
)
async def test_a_cron_step_with_infrastructure(app: StepTester) -> None:
    async with app:
        await app.tick("Slow")
        (run,) = await app.settle()
    assert run.error is not None
    assert (run.status, run.error.type) == ("failed", "RunTimeoutError")


@rule("2.3", "A Step whose expression is not valid has no ticks, which is told; the others have")
async def test_a_cron_expression_that_is_not_valid(faulty_app: StepTester) -> None:
    async with faulty_app as app:
        await app.advance(60)
        runs = await app.settle()
        (problem,) = app.plan.problems
    assert [run.step for run in runs] == ["Good"]
    assert (problem.file, problem.field) == ("steps/bad_step.py", "cron")


@rule("2.4", "A noop Step has no handler, never runs, and is drawn between others")
async def test_noop_steps(app: StepTester) -> None:
    async with app:
        await app.client.post("/ask")
        await app.client.get("/approved")
        await app.emit("approval.asked", {})
        runs = [run.step for run in await app.settle()]
        (flow,) = app.plan.flows
        assert [problem for problem in app.plan.problems if problem.severity == "error"] == []
    assert sorted(runs) == ["Approved", "Ask"]
    assert {(edge.source, edge.target, edge.label) for edge in flow.edges} == {
        ("ManagerApproves", "Approved", "Clicked"),
        ("Ask", "ManagerApproves", ""),
    }
    assert all(edge.virtual for edge in flow.edges)


@rule(
    "2.4",
    "A noop Step needs `virtualEmits` and `virtualSubscribes`",
    better="Both may be left out",
)
async def test_noop_steps_without_lists(app: StepTester) -> None:
    async with app:
        assert [flow.name for flow in app.plan.flows] == ["partner"]


@rule("2.5", "A stream has a `name`, a `schema` and `baseConfig: {storageType: 'default'}`")
@rule("2.5", "`schema` is not enforced: any item can be set")
async def test_streams_in_python(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/say", json={"txet": 1})
        chat = await app.streams.get("chat", "room", "1")
        plain = await app.streams.get("plain", "room", "1")
        assert app.plan.problems == ()
    assert answer.status_code == 200
    assert (chat["txet"], plain["anything"]) == (1, 1)


@rule("2.5", "A pydantic class as `schema` fails", better="It is the schema of the class")
async def test_streams_with_classes_as_schemas(app: StepTester) -> None:
    async with app:
        (stream,) = app.plan.streams
    assert stream.schema is not None
    assert stream.schema["required"] == ["text"]


@rule(
    "2.5",
    "`canAccess` is a function of the subscription (`groupId`, and `id` of one item) and what the "
    "client is, `async def` or not; without one everybody may join",
)
async def test_access_to_a_stream(app: StepTester) -> None:
    async with app:
        assert await app.may_join("secret", {"groupId": "public"})
        assert not await app.may_join("secret", {"groupId": "other"})
        assert await app.may_join("secret", {"groupId": "other"}, {"role": "admin"})
        assert await app.may_join("awaited", {"groupId": "g", "id": "mine"})
        assert not await app.may_join("awaited", {"groupId": "g"})
        assert await app.may_join("open", {"groupId": "g"})


@rule(
    "2.5",
    "`storageType: 'custom'` of a project's stream can not work",
    better="The stream works, kept as all others are, and `check` says so",
)
async def test_streams_with_storage_of_their_own(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/put")
        (problem,) = app.plan.problems
    assert answer.json() == {"n": 1}
    assert (problem.severity, problem.field) == ("warning", "baseConfig")


@rule("2.5", "Of two streams of one name the last one found counts", better="`check` names both")
async def test_two_streams_of_one_name(faulty_app: StepTester) -> None:
    async with faulty_app as app:
        (stream,) = app.plan.streams
        (problem,) = app.plan.problems
    assert stream.schema is not None
    assert list(stream.schema["properties"]) == ["second"]
    assert problem.file == "steps/b_second_stream.py"
    assert "steps/a_first_stream.py" in problem.what


@rule("2.6", "A flow is there as long as a Step names it in its `flows`; a Step may be in several")
@rule("2.6", "`label` and `conditional` of an emit are drawn, and change nothing else")
async def test_flows_are_names(app: StepTester) -> None:
    async with app:
        await app.client.post("/create")
        runs = [run.step for run in await app.settle()]
        flows = {flow.name: flow for flow in app.plan.flows}
    assert runs == ["Create", "Tell"]
    assert {name: set(flow.steps) for name, flow in flows.items()} == {
        "orders": {"Create", "Pack", "Tell"},
        "audit": {"Create", "Tell"},
    }
    assert [(e.topic, e.target, e.label, e.conditional) for e in flows["audit"].edges] == [
        ("rejected", "Tell", "If invalid", True)
    ]


@rule("2.6", "`virtualEmits` do not allow a topic, and `virtualSubscribes` deliver nothing")
async def test_virtual_topics_deliver_nothing(app: StepTester) -> None:
    async with app:
        await app.client.post("/source")
        runs = [run.step for run in await app.settle()]
        (flow,) = app.plan.flows
        emits = [emit.topic for emit in await app.emits()]
    assert runs == ["Source"]
    assert emits == ["real"]
    drawn = {(edge.topic, edge.target, edge.virtual) for edge in flow.edges}
    assert drawn == {("real", "Drawn", True), ("drawn", "Drawn", True)}
