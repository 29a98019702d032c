"""The module ``motia``: what Steps of Motia 1.0 import from it."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pytest

from motia_celery.context import Context, Services
from motia_celery.context.current import current
from motia_celery.errors import ConfigError
from motia_celery.model.run import Run
from motia_celery.model.step import Step
from motia_celery.model.trace import Trace
from motia_celery.motia import exports as motia
from motia_celery.motia.ambient import uses_ambient
from motia_celery.run.responses import build_response
from motia_celery.stores.memory_state import MemoryState


class Exchange:
    def __init__(self):
        self.events = []

    async def emit(self, event, options, **more):
        self.events.append((event.topic, event.data))
        return True


@pytest.fixture
def exchange():
    return Exchange()


@pytest.fixture
async def context(exchange):
    """That of a run under way."""
    run = Run(id="r", step="a", trigger="event", input=None, trace=Trace.start())
    step = Step(name="a", file="steps/a_step.py", language="python")
    services = Services(emitter=exchange, state=MemoryState(), stream_names=frozenset({"todo"}))
    return Context(run, step, services)


def test_the_makers_give_the_dicts_of_a_config():
    assert motia.http("GET", "/", body_schema=int) == {
        "type": "http",
        "method": "GET",
        "path": "/",
        "bodySchema": int,
    }
    assert motia.api is motia.http
    assert motia.queue("x", input=int, condition=print) == {
        "type": "queue",
        "topic": "x",
        "input": int,
        "condition": print,
    }
    assert motia.cron("0 0 9 * * *") == {"type": "cron", "expression": "0 0 9 * * *"}
    assert motia.state(condition=print) == {"type": "state", "condition": print}
    assert motia.stream("s", group_id="g") == {"type": "stream", "streamName": "s", "groupId": "g"}


async def test_enqueue_state_and_logger_are_those_of_the_run(context, exchange, caplog):
    with current(context):
        await motia.enqueue({"topic": "x", "data": 1})
        assert await motia.state_manager.set("s", "k", {"n": 1}) == {
            "old_value": None,
            "new_value": {"n": 1},
        }
        assert await motia.stateManager.get("s", "k") == {"n": 1}
        assert await motia.StateManager().list("s") == [{"n": 1}]
        assert await motia.state_manager.list_groups() == ["s"]
        assert await motia.state_manager.delete("s", "k") == {"n": 1}
        assert await motia.state_manager.get("s", "k") is None
        motia.logger.warning("told")
    assert exchange.events == [("x", 1)]
    assert "told" in caplog.messages


async def test_a_stream_is_found_by_its_name_or_its_config(context):
    with current(context):
        by_name, by_config = motia.Stream("todo"), motia.Stream({"name": "todo"})
        changed = await by_name.set("g", "1", {"text": "a"})
        assert (changed["old_value"], changed["new_value"]["text"]) == (None, "a")
        assert (await by_config.get("g", "1"))["text"] == "a"
        assert [item["id"] for item in await by_config.list("g")] == ["1"]
        assert (await by_name.delete("g", "1"))["text"] == "a"


async def test_in_a_thread_the_values_come_without_waiting(context):
    def handler():
        motia.state_manager.set("s", "k", 1)
        return motia.state_manager.get("s", "k")

    with current(context):
        assert await asyncio.to_thread(handler) == 1


async def test_each_run_finds_its_own_context(context):
    with current(context):
        inside = asyncio.create_task(asyncio.sleep(0, motia.logger.info))
        assert await inside == context.logger.info
    with pytest.raises(ConfigError, match="outside of a handler"):
        motia.enqueue({"topic": "x"})


@pytest.mark.parametrize(
    "response",
    [
        motia.ApiResponse(status=201, body={"a": 1}, headers={"x-a": "b"}),
        motia.ApiResponse(status_code=201, body={"a": 1}, headers={"x-a": "b"}),
        {"status_code": 201, "body": {"a": 1}, "headers": {"x-a": "b"}},
    ],
)
def test_a_response_may_be_written_in_several_ways(response):
    built = build_response(response)
    assert (built.status, built.body) == (201, b'{"a":1}')
    assert (b"x-a", b"b") in built.headers


def test_a_response_has_its_keys_as_attributes():
    response = motia.ApiResponse(status=201, body=1)
    assert (response.status, response.status_code, response.body) == (201, 201, 1)
    with pytest.raises(AttributeError):
        _ = response.cookies


def test_guards_find_the_triggers_of_each_kind():
    config = {"name": "a", "triggers": [motia.state(), motia.stream("s"), motia.http("GET", "/")]}
    assert [t["type"] for t in motia.get_state_triggers(config)] == ["state"]
    assert [t["type"] for t in motia.get_stream_triggers(config)] == ["stream"]
    assert motia.is_state_step(config) and motia.is_stream_step(config)
    assert not motia.is_state_step({"name": "a", "triggers": []})


def test_the_names_may_be_subscripted_in_annotations():
    for name in ("ApiRequest", "ApiResponse", "FlowContext", "MotiaHttpArgs", "Stream"):
        assert getattr(motia, name)[Any] is not None


def test_a_step_imports_them_from_motia(project):
    project.write("steps/a_step.py", "import motia\nconfig = motia\n")
    sys.modules.pop("motia", None)
    project.discover()
    module = sys.modules["motia"]
    assert module.__all__ == motia.__all__
    assert module.http is motia.http


def test_the_files_that_may_use_these_names_are_known():
    """A handler of such a file may hold up its loop, so it gets one of its own."""

    class Proxy:
        @property
        def __class__(self):
            raise RuntimeError("not yet")

    def imported():
        return motia

    for value in (motia.enqueue, motia.state_manager, motia.Stream("s"), motia, imported):
        assert uses_ambient({"name": value, "other": 1})
    assert not uses_ambient({"http": motia.http, "proxy": Proxy(), "json": json, "x": print})


def test_spans_of_a_handlers_own_are_nothing_while_nobody_asks_for_them():
    with motia.tracing.operation_span("charge", amount=1) as span:
        motia.tracing.set_span_ok(span)
        motia.tracing.record_exception(span, ValueError())
    assert span is None
    assert motia.tracing.get_trace_id_from_span() is None
    assert motia.tracing.inject_context() == {}
    assert motia.tracing.extract_parent_context(None) is None


async def test_the_trace_id_is_that_of_the_run(context):
    with current(context):
        assert motia.tracing.get_trace_id_from_span() == context.trace_id


def test_triggers_and_steps_can_be_told_apart():
    config = {"triggers": [motia.http("GET", "/"), motia.queue("x"), motia.state()]}
    assert motia.get_api_triggers(config) == [motia.http("GET", "/")]
    assert motia.get_queue_triggers(motia.step(config)) == [motia.queue("x")]
    assert (motia.is_api_step(config), motia.is_cron_step(config)) == (True, False)
    assert motia.is_state_trigger(motia.state())
    assert motia.is_stream_trigger(motia.StreamTrigger(stream_name="s"))
    assert not motia.is_stream_trigger({"type": "state"})


async def test_the_app_is_what_the_run_has_and_takes_no_steps(context, exchange):
    app = motia.Motia()
    with current(context):
        await app.enqueue({"topic": "x", "data": 1})
        assert (await app.state.set("s", "k", 1))["new_value"] == 1
        assert (await app.stream("todo").set("g", "1", {"a": 1}))["new_value"]["a"] == 1
    assert exchange.events == [("x", 1)]
    with pytest.raises(ConfigError, match="not added"):
        app.add_step({}, "a_step.py")
