"""Invoking: a run goes in as a value, its outcome comes out as a value."""

from __future__ import annotations

import asyncio
import logging
import textwrap

import pytest

from motia_celery.context import Services
from motia_celery.model.run import Failure, Run, Success
from motia_celery.model.trace import Trace
from motia_celery.runtime import deadline
from motia_celery.runtime.invoke import Invoker
from motia_celery.stores.memory_state import MemoryState


class Exchange:
    """Takes events after a moment, as a broker that confirms does."""

    def __init__(self):
        self.events = []
        self.refuses = False

    async def emit(self, event, options, **more):
        await asyncio.sleep(0.01)
        if self.refuses:
            raise ConnectionError("not confirmed")
        self.events.append(event)


@pytest.fixture
def app(project):
    return App(project)


class App:
    """One Step, ready to be run."""

    def __init__(self, project):
        self.project = project
        self.exchange = Exchange()
        self.state = MemoryState()

    def step(self, source, config="", kind="event"):
        start = {
            "event": '"type": "event", "subscribes": ["x"]',
            "cron": '"type": "cron", "cron": "@daily"',
            "api": '"type": "api", "method": "GET", "path": "/"',
        }[kind]
        source = textwrap.dedent(source)
        head = "import asyncio, time\n"
        text = f'{head}{source}\nconfig = {{"name": "a", {start}, {config}}}\n'
        self.project.write("steps/a_step.py", text)
        found = self.project.discover()
        assert found.problems == ()
        self.invoker = Invoker(
            {step.name: step for step in found.steps},
            {"python": self.project.host},
            Services(emitter=self.exchange, state=self.state),
            self.project.root,
        )
        return self

    async def run(self, data=None, trigger="event"):
        run = Run(id="r", step="a", trigger=trigger, input=data, trace=Trace.start())
        return await asyncio.wait_for(self.invoker.invoke(run), 60)


async def test_the_outcome_carries_what_the_handler_returned(app):
    app.step("async def handler(data, context): return data + 1")
    assert await app.run(41) == Success(42)


async def test_an_error_of_the_handler_is_a_failure_with_the_users_line(app):
    app.step("async def handler(data, context):\n    raise ValueError('no stock')")
    outcome = await app.run()
    assert isinstance(outcome, Failure)
    error = outcome.error
    assert (error.type, error.message, error.where) == (
        "ValueError",
        "no stock",
        "steps/a_step.py:3",
    )


@pytest.mark.parametrize("way", ["async def", "def"])
@pytest.mark.parametrize("fault", ["SystemExit(3)", "TimeoutError('mine')", "RuntimeError"])
async def test_whatever_the_handler_raises_is_a_failure(app, way, fault):
    """Also an attempt to end the process."""
    app.step(f"{way} handler(data, context): raise {fault}")
    outcome = await app.run()
    assert outcome.error.type == fault.partition("(")[0]


TIMEOUT = '"infrastructure": {"handler": {"timeout": 0.1}}'


@pytest.mark.parametrize("way", ["async def handler(): await asyncio", "def handler(): time"])
async def test_a_handler_that_runs_too_long_fails_with_a_timeout(app, way):
    outcome = await app.step(f"{way}.sleep(0.6)", TIMEOUT).run()
    assert outcome.error.type == "RunTimeoutError"
    assert "0.1 s" in outcome.error.message
    assert "infrastructure.handler.timeout" in outcome.error.message


async def test_a_handler_may_use_the_soft_limit_to_tidy_up_and_return(app):
    source = """
    async def handler():
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)
            return "half"
    """
    assert await app.step(source, TIMEOUT).run() == Success("half")


async def test_a_handler_that_does_not_give_way_ends_at_the_hard_limit(app, caplog, monkeypatch):
    """Its run fails; what it does later counts for nothing."""
    monkeypatch.setattr(deadline, "GRACE_SECONDS", 0.1)
    source = """
    async def handler(data):
        while not data:
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                pass
        raise ValueError("too late")
    """
    data = []
    assert (await app.step(source, TIMEOUT).run(data)).error.type == "RunTimeoutError"
    assert "does not give way" in caplog.text
    data.append("end")
    await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})


@pytest.mark.parametrize(
    "line", ["raise TimeoutError('mine')", "await asyncio.wait_for(asyncio.sleep(5), 0.01)"]
)
async def test_a_timeout_of_the_handlers_own_is_not_taken_for_ours(app, line):
    outcome = await app.step(f"async def handler(): {line}", TIMEOUT).run()
    assert outcome.error.type == "TimeoutError"


async def test_being_cancelled_is_passed_on(app):
    app.step("async def handler(): await asyncio.sleep(5)")
    task = asyncio.create_task(app.run())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_something_else_that_was_cancelled_is_the_handlers_failure(app):
    """Only its own task ends a run; else the run would count as revoked and be lost."""
    source = """
    async def handler():
        task = asyncio.ensure_future(asyncio.sleep(5))
        asyncio.get_running_loop().call_later(0.01, task.cancel)
        await task
    """
    assert (await app.step(source).run()).error.type == "CancelledError"


async def test_emits_and_state_calls_that_nobody_awaited_end_before_the_run(app):
    source = """
    async def handler(data, context):
        context.emit({"topic": "y", "data": 1})
        context.state.set("g", "k", 2)
    """
    assert isinstance(await app.step(source).run(), Success)
    assert [(event.topic, event.data) for event in app.exchange.events] == [("y", 1)]
    assert await app.state.get("g", "k") == 2


async def test_an_error_of_a_call_that_nobody_awaited_fails_the_run(app):
    app.exchange.refuses = True
    app.step("async def handler(data, context): context.emit(topic='y')")
    outcome = await app.run()
    assert (outcome.error.type, outcome.error.message) == ("ConnectionError", "not confirmed")


@pytest.mark.parametrize(
    "line",
    [
        "await context.emit(topic='y')",
        "await asyncio.create_task(context.emit(topic='y'))",
        "(await asyncio.gather(context.emit(topic='y'), return_exceptions=True))[0].args[1]",
    ],
)
async def test_an_error_that_the_handler_caught_does_not_fail_the_run(app, line):
    app.exchange.refuses = True
    source = f"""
    async def handler(data, context):
        try:
            {line}
        except (ConnectionError, IndexError):
            return "caught"
    """
    assert await app.step(source).run() == Success("caught")


async def test_calls_of_a_failed_run_have_ended_too(app):
    """So that nothing of this attempt happens during the next one."""
    source = """
    async def handler(data, context):
        context.emit(topic="y")
        raise ValueError
    """
    assert (await app.step(source).run()).error.type == "ValueError"
    assert len(app.exchange.events) == 1


async def test_the_handlers_error_wins_over_those_of_its_calls(app, caplog):
    app.exchange.refuses = True
    source = "async def handler(d, context):\n  context.emit(topic='y')\n  raise ValueError"
    assert (await app.step(source).run()).error.type == "ValueError"
    assert caplog.records == []


async def test_calls_under_way_stop_at_the_timeout(app):
    source = """
    async def handler(data, context):
        context.emit(topic="y")
        time.sleep(0.11)
        await asyncio.sleep(5)
    """
    assert (await app.step(source, TIMEOUT).run()).error.type == "RunTimeoutError"
    await asyncio.sleep(0.05)
    assert app.exchange.events == []


async def test_an_event_that_does_not_fit_its_schema_is_warned_of_and_runs(app, caplog):
    """Motia's rule."""
    schema = (
        '"input": {"type": "object", "required": ["id"], "properties": {"n": {"type": "number"}}}'
    )
    app.step("async def handler(data): return 'ran'", schema)
    with caplog.at_level(logging.WARNING):
        assert await app.run({"n": "x"}) == Success("ran")
    (record,) = caplog.records
    assert len(record.data["faults"]) == 2
    caplog.clear()
    assert await app.run({"id": 1, "n": 2}) == Success("ran")
    assert caplog.records == []


async def test_a_schema_that_is_broken_or_lies_elsewhere_is_warned_of_and_fetches_nothing(
    app, caplog
):
    app.project.write(
        "steps/a_step.py",
        'config = {"type": "event", "name": "a", "subscribes": ["x"],'
        '"input": {"$ref": "http://127.0.0.1:9/a.json"}}\nasync def handler(data): return 1',
    )
    found = app.project.discover()
    services = Services(emitter=app.exchange, state=app.state)
    hosts = {"python": app.project.host}
    app.invoker = Invoker({"a": found.steps[0]}, hosts, services, app.project.root)
    assert "not valid JSON Schema" in caplog.text
    assert await app.run({}) == Success(1)


async def test_hundreds_of_async_handlers_run_at_once(app):
    app.step("async def handler(data): await asyncio.sleep(0.2); return data")
    started = asyncio.get_running_loop().time()
    outcomes = await asyncio.gather(*(app.run(n) for n in range(300)))
    assert [outcome.result for outcome in outcomes] == [*range(300)]
    assert asyncio.get_running_loop().time() - started < 3


async def test_an_error_carries_the_names_that_a_retry_policy_may_use(app):
    app.step("class Late(ConnectionError): pass\nasync def handler(): raise Late")
    names = (await app.run()).error.names
    assert {"Late", "ConnectionError", "OSError", "builtins.OSError"} <= set(names)


async def test_an_http_step_has_no_timeout_of_its_own_and_gets_the_request(app):
    app.step("async def handler(request, context): return request['body']", kind="api")
    assert await app.run({"body": 7}, "http") == Success(7)


async def test_a_cron_handler_gets_the_context(app):
    app.step("async def handler(context): return context.attempt", kind="cron")
    assert await app.run(None, "cron") == Success(1)
