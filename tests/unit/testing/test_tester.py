"""An app in memory behaves as in production, on a clock that the test moves."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from unit.testing.conftest import Write

from motia_celery.errors import (
    ConfigError,
    EventDataError,
    NotFoundError,
    SchemaMismatchError,
    SettingsError,
    UnsettledError,
)
from motia_celery.testing import StepTester, SyncStepTester

START = datetime(2030, 1, 1, tzinfo=UTC)

NOTING = """
config = {{"type": "event", "name": "{name}", "subscribes": ["go"], "emits": [], {more}}}


async def handler(data, context):
    notes = await context.state.get("notes", "{name}") or []
    await context.state.set("notes", "{name}", [*notes, data])
"""

CROWDED = """
import asyncio

config = {{
    "type": "event",
    "name": "crowd",
    "subscribes": ["go"],
    "emits": [],
    "infrastructure": {{"queue": {queue}}},
}}
present, most = {{}}, {{}}


async def handler(data, context):
    key = data.get("key")
    present[key] = present.get(key, 0) + 1
    most[key] = max(most.get(key, 0), present[key])
    await asyncio.sleep(0.01)
    present[key] -= 1
"""

FAILING = """
config = {{"type": "event", "name": "fail", "subscribes": ["go"], "emits": [], "retry": {retry}}}


async def handler(data, context):
    if context.attempt <= data["fails"]:
        raise ValueError(f"attempt {{context.attempt}}")
"""


async def test_patterns_and_several_subscribers_each_get_their_own_copy(project: Write) -> None:
    source = """
    config = {{"type": "event", "name": "{name}", "subscribes": ["{topic}"], "emits": []}}


    async def handler(data, context):
        data["seen"] = "{name}"
        await context.state.set("seen", "{name}", data)
    """
    root = project(
        one=source.format(name="one", topic="order.*"), two=source.format(name="two", topic="#")
    )
    async with StepTester(root) as app:
        await app.emit("order.paid", {"id": 1})
        await app.emit("order.paid.late", {"id": 2})
        await app.settle()
        assert await app.state.get("seen", "one") == {"id": 1, "seen": "one"}
        assert len(await app.runs("two")) == 2


async def test_a_concurrency_is_kept(project: Write) -> None:
    async with StepTester(project(crowd=CROWDED.format(queue={"concurrency": 2}))) as app:
        for _ in range(7):
            await app.emit("go", {})
        await app.settle()
        assert app.module("crowd").most == {None: 2}
        assert len(await app.runs("crowd", "completed")) == 7


async def test_a_concurrency_is_that_of_each_key(project: Write) -> None:
    queue = {"concurrency": 1, "concurrencyKey": "key"}
    async with StepTester(project(crowd=CROWDED.format(queue=queue))) as app:
        for number in range(6):
            await app.emit("go", {"key": "ab"[number % 2]})
        await app.settle()
        assert app.module("crowd").most == {"a": 1, "b": 1}


async def test_a_rate_moves_the_clock(project: Write) -> None:
    more = '"infrastructure": {"queue": {"rateLimit": "6/m"}}'
    async with StepTester(project(note=NOTING.format(name="note", more=more)), now=START) as app:
        for number in range(4):
            await app.emit("go", number)
        await app.settle()
        assert await app.state.get("notes", "note") == [0, 1, 2, 3]
        assert app.now == START + timedelta(seconds=30)


async def test_delays_of_the_queue_and_of_the_emit_wait_for_the_clock(project: Write) -> None:
    more = '"infrastructure": {"queue": {"delaySeconds": 60}}'
    root = project(
        late=NOTING.format(name="late", more=more), soon=NOTING.format(name="soon", more="")
    )
    async with StepTester(root, now=START) as app:
        await app.emit("go", 1, delay=30)
        await app.settle()
        assert await app.runs() == []
        await app.advance(30)
        assert [run.step for run in await app.runs()] == ["soon"]
        await app.advance(59)
        assert len(await app.runs()) == 1
        await app.advance(timedelta(seconds=1))
        assert [run.step for run in await app.runs()] == ["soon", "late"]


async def test_retries_wait_as_the_policy_says_without_chance(project: Write) -> None:
    retry = {"maxAttempts": 4, "delaySeconds": 10}
    async with StepTester(project(fail=FAILING.format(retry=retry)), now=START) as app:
        await app.emit("go", {"fails": 3})
        (run,) = await app.settle()
        assert (run.status, run.attempts) == ("completed", 4)
        assert app.now == START + timedelta(seconds=10 + 20 + 40)


async def test_what_fails_to_the_end_is_a_dead_letter_that_can_be_replayed(
    project: Write,
) -> None:
    source = """
    config = {
        "type": "event",
        "name": "fail",
        "subscribes": ["go"],
        "emits": [],
        "retry": {"maxAttempts": 2, "delaySeconds": 1},
    }
    gateway = {"is_away": True}


    async def handler(data, context):
        if gateway["is_away"]:
            raise ConnectionError(f"attempt {context.attempt}")
    """
    async with StepTester(project(fail=source)) as app:
        await app.emit("go", {"id": 1})
        (run,) = await app.settle()
        assert (run.status, run.attempts, run.error.message) == ("failed", 2, "attempt 2")
        (letter,) = await app.dead_letters("fail")
        assert (letter.id, letter.attempts, letter.reason) == (run.id, 2, "failed")
        assert letter.data == {"id": 1}
        app.module("fail").gateway["is_away"] = False
        await app.replay(letter)
        await app.settle()
        assert await app.dead_letters() == []
        run = await app.run("fail")
        assert (run.status, run.error) == ("completed", None)
        assert [attempt.number for attempt in run.record.attempts] == [1, 2, 1]


async def test_only_its_own_group_waits_for_a_run_that_fails(project: Write) -> None:
    source = """
    config = {
        "type": "event",
        "name": "line",
        "subscribes": ["go"],
        "emits": [],
        "infrastructure": {"queue": {"type": "fifo", "partitions": 64}},
        "retry": {"maxAttempts": 3, "delaySeconds": 5, "backoff": "fixed"},
    }
    done = []


    async def handler(data, context):
        if data == "a1" and context.attempt < 3:
            raise ValueError(data)
        done.append(data)
    """
    async with StepTester(project(line=source)) as app:
        for data in ("a1", "a2", "b1", "b2"):
            await app.emit("go", data, group=data[0])
        await app.advance(0)
        assert app.module("line").done == ["b1", "b2"]
        await app.settle()
        assert app.module("line").done == ["b1", "b2", "a1", "a2"]


async def test_a_transaction_is_stored_whole_or_not_at_all(project: Write) -> None:
    source = """
    config = {"type": "event", "name": "book", "subscribes": ["book"], "emits": []}


    async def handler(data, context):
        async with context.transaction() as tx:
            tx.state.set("books", "a", 1)
            tx.state.set("books", "b", object() if data else 2)
            tx.emit(topic="go", data=1)
    """
    root = project(book=source, note=NOTING.format(name="note", more=""))
    async with StepTester(root) as app:
        await app.emit("book", True)
        await app.settle()
        assert await app.state.groups() == []
        assert await app.runs("note") == []
        await app.emit("book", False)
        await app.settle()
        assert await app.state.items("books") == {"a": 1, "b": 2}
        assert (await app.run("note")).input == 1


async def test_lives_of_keys_and_of_idempotency_keys_go_by_the_clock(project: Write) -> None:
    async with StepTester(project(note=NOTING.format(name="note", more=""))) as app:
        await app.state.set("g", "k", 1, ttl_seconds=60)
        assert await app.emit("go", 1, id="key")
        await app.advance(59)
        assert await app.state.get("g", "k") == 1
        assert not await app.emit("go", 1, id="key")
        await app.advance(86400)
        assert await app.state.get("g", "k") is None
        assert await app.emit("go", 1, id="key")


async def test_an_emit_at_a_moment_goes_by_the_same_clock(project: Write) -> None:
    source = """
    config = {"type": "event", "name": "plan", "subscribes": ["plan"], "emits": []}


    async def handler(data, context):
        await context.emit(topic="go", data=1, at="2030-01-01T09:00:00Z")
    """
    root = project(plan=source, note=NOTING.format(name="note", more=""))
    async with StepTester(root, now=START) as app:
        await app.emit("plan")
        await app.settle()
        await app.advance(timedelta(hours=8, minutes=59))
        assert await app.runs("note") == []
        await app.advance(60)
        assert len(await app.runs("note")) == 1


MISFIT = '"input": {{"type": "integer"}}, "eventSchema": "{policy}"'


async def test_data_that_does_not_fit_is_refused_where_it_is_emitted(project: Write) -> None:
    root = project(note=NOTING.format(name="note", more=MISFIT.format(policy="refuse")))
    async with StepTester(root) as app:
        with pytest.raises(SchemaMismatchError):
            await app.emit("go", "one")
        with pytest.raises(EventDataError):
            await app.emit("go", object())
        assert await app.settle() == []


async def test_data_that_does_not_fit_is_a_dead_letter(project: Write) -> None:
    root = project(note=NOTING.format(name="note", more=MISFIT.format(policy="reject")))
    async with StepTester(root) as app:
        await app.emit("go", "one")
        await app.settle()
        (letter,) = await app.dead_letters()
        assert (letter.reason, letter.attempts) == ("misfit", 1)


async def test_crons_fire_as_time_goes_by_and_when_they_are_told_to(project: Write) -> None:
    source = """
    config = {"type": "cron", "name": "tick", "cron": "*/10 * * * *", "emits": []}


    def handler(context):
        context.state.update("ticks", "n", [{"type": "increment", "path": "n", "by": 1}])
    """
    async with StepTester(project(tick=source), now=START) as app:
        await app.tick("tick")
        await app.settle()
        await app.advance(timedelta(hours=1))
        assert await app.state.get("ticks", "n") == {"n": 7}
        with pytest.raises(NotFoundError, match="no Step 'tock'"):
            await app.tick("tock")


async def test_lines_of_any_logger_belong_to_their_run(project: Write) -> None:
    source = """
    import logging

    config = {"type": "event", "name": "talk", "subscribes": ["go"], "emits": []}


    async def handler(data, context):
        context.logger.info("by the context", {"n": 1})
        logging.getLogger("shop").info("by %s", "logging")
        context.logger.debug("too quiet")
    """
    level = logging.getLogger().level
    async with StepTester(project(talk=source)) as app:
        await app.emit("go")
        await app.settle()
        lines = [(line.level, line.message, line.data) for line in await app.logs()]
        assert lines == [("info", "by the context", {"n": 1}), ("info", "by logging", None)]
    assert logging.getLogger().level == level


async def test_a_handler_that_never_ends_is_named(project: Write) -> None:
    source = """
    import asyncio

    config = {"type": "event", "name": "stuck", "subscribes": ["go"], "emits": []}


    async def handler(data, context):
        await asyncio.Event().wait()
    """
    async with StepTester(project(stuck=source), timeout_seconds=0.2) as app:
        await app.emit("go")
        with pytest.raises(UnsettledError, match="stuck still runs"):
            await app.settle()


async def test_a_project_with_an_error_is_not_tested(project: Write) -> None:
    root = project(good=NOTING.format(name="good", more=""), bad="import nothing_of_this_name")
    with pytest.raises(ConfigError, match="bad_step"):
        async with StepTester(root):
            pass


async def test_a_tester_says_how_it_is_used(project: Write, monkeypatch) -> None:
    root = project(note=NOTING.format(name="note", more=""))
    tester = StepTester(root)
    with pytest.raises(ConfigError, match="async with"):
        await tester.settle()
    async with tester as app:
        with pytest.raises(ConfigError, match="in use"):
            await tester.__aenter__()
        with pytest.raises(NotFoundError, match="has 0 runs"):
            await app.run("note")
        with pytest.raises(ConfigError, match="delay"):
            await app.emit("go", delay=-1)
    monkeypatch.setenv("MOTIA_TEST_BROKER_URL", "kafka://nobody")
    with pytest.raises(SettingsError, match="is no URL of a broker"):
        async with StepTester(root):
            pass


async def test_settings_are_those_of_tests_and_never_servers_of_production(
    project: Write, monkeypatch
) -> None:
    root = project(note=NOTING.format(name="note", more=""))
    (root / "config").mkdir()
    (root / "config" / "test.toml").write_text("strict_emits = true\n")
    monkeypatch.setenv("AMQP_URL", "amqp://production")
    monkeypatch.setenv("REDIS_URL", "redis://production")
    async with StepTester(root, prefix="mine") as app:
        settings = app._started.app.settings
        assert (settings.strict_emits, settings.prefix) == (True, "mine")
        assert (settings.broker_url, settings.redis_url) == (None, None)
        await app.emit("go", 1)
        assert len(await app.settle()) == 1


def test_plain_functions_need_no_await(project: Write) -> None:
    with SyncStepTester(project(note=NOTING.format(name="note", more="")), now=START) as app:
        app.emit("go", 1, delay=5)
        app.advance(5)
        (run,) = app.settle()
        assert (run.step, run.status) == ("note", "completed")
        assert app.state.get("notes", "note") == [1]
        assert app.client.get("/nowhere").status_code == 404
        assert app.emits() == [] == app.dead_letters() == app.logs()
        assert app.now == START + timedelta(seconds=5)
    with pytest.raises(ConfigError, match="started"):
        app.settle()
