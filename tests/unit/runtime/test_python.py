"""The Python host: how a handler and its middleware are called."""

from __future__ import annotations

import asyncio
import contextvars
import secrets
import sys
import threading

import pytest

from motia_celery.context import Context, Services
from motia_celery.model.run import Run
from motia_celery.model.trace import Trace
from motia_celery.runtime.source import SourceFile
from motia_celery.stores.memory_state import MemoryState


class Deaf:
    async def emit(self, event, options, **more):
        raise AssertionError("nothing is emitted here")


CONFIGS = {
    "http": '{"type": "api", "name": "a", "method": "POST", "path": "/a", "middleware": [MW]}',
    "event": '{"type": "event", "name": "a", "subscribes": ["x"]}',
    "cron": '{"type": "cron", "name": "a", "cron": "@daily", "middleware": [MW]}',
}


@pytest.fixture
def call(project):
    """Write a Step with this handler (and middleware), and run it once."""

    async def call(handler, trigger="event", data="input", middleware=""):
        config = CONFIGS[trigger].replace("MW", middleware)
        for earlier in project.root.glob("steps/*.py"):
            earlier.unlink()
        project.write(f"steps/{secrets.token_hex(4)}_step.py", f"{handler}\nconfig = {config}\n")
        found = project.discover()
        assert [p for p in found.problems if p.severity == "error"] == []
        run = Run(id="r", step="a", trigger=trigger, input=data, trace=Trace.start())
        services = Services(emitter=Deaf(), state=MemoryState())
        return await project.host.call(run, Context(run, found.steps[0], services))

    return call


@pytest.mark.parametrize("way", ["async def", "def"])
@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("data, context", ("input", "Context")),
        ("data", ("input",)),
        ("", ()),
        ("*rest", ("input", "Context")),
        ("data, context, more=None", ("input", "Context", None)),
        ("data, *, key=1", ("input", 1)),
    ],
)
async def test_a_handler_gets_as_many_arguments_as_it_declares(call, way, parameters, expected):
    names = [
        p.split("=")[0].strip(" ") for p in parameters.split(",") if p.strip() not in ("*", "")
    ]
    given = await call(f"{way} handler({parameters}):\n    return [{', '.join(names)}]")
    shown = tuple(v if v in ("input", None, 1) else type(v).__name__ for v in given)
    assert shown == expected


@pytest.mark.parametrize("way", ["async def", "def"])
@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("context", ["Context"]),
        ("data, context", ["NoneType", "Context"]),
        ("data=None, context=None", ["NoneType", "Context"]),
        ("*rest", ["Context"]),
        ("", []),
    ],
)
async def test_a_cron_handler_takes_the_context_or_input_and_context(
    call, way, parameters, expected
):
    names = parameters.replace("=None", "")
    given = await call(f"{way} handler({parameters}):\n    return [{names}]", "cron", None)
    assert [type(value).__name__ for value in given] == expected


async def test_async_handlers_share_the_loop_and_sync_ones_run_in_threads(call):
    source = "import threading\n%s handler(data, context):\n    return threading.current_thread()"
    assert await call(source % "async def") is threading.current_thread()
    assert (await call(source % "def")).name.startswith("step")


async def test_sync_handlers_do_not_stop_the_loop(call):
    running = asyncio.create_task(call("import time\ndef handler():\n    time.sleep(0.2)"))
    await asyncio.sleep(0.05)
    beats = 0
    while not running.done():
        beats += 1
        await asyncio.sleep(0.01)
    assert beats  # none, if the handler held up the loop


async def test_context_variables_reach_sync_handlers(call):
    source = """
import contextvars, sys
place = sys.modules.setdefault("a_place", contextvars.ContextVar("place", default="nowhere"))
def handler(): return place.get()
"""
    place = sys.modules["a_place"] = contextvars.ContextVar("place")
    place.set("here")
    try:
        assert await call(source) == "here"
    finally:
        del sys.modules["a_place"]


@pytest.mark.parametrize(
    "handler",
    [
        "async def real(data): return data\ndef handler(data): return real(data)",
        "class H:\n  async def __call__(self, data): return data\nhandler = H()",
        "from functools import partial\nasync def f(x, data): return data\nhandler = partial(f, 1)",
        "handler = lambda data: data",
    ],
)
async def test_anything_callable_is_a_handler_and_what_is_awaitable_is_awaited(call, handler):
    assert await call(handler) == "input"


async def test_stop_iteration_in_a_sync_handler_is_an_error_and_not_a_run_without_end(call):
    with pytest.raises(RuntimeError, match="StopIteration"):
        await asyncio.wait_for(call("def handler(): next(iter([]))"), 60)


CHAIN = """
log = []

async def first(request, context, next_fn):
    log.append(("first", request))
    response = await next_fn(FIRST)
    return {**response, "by": "first"}

async def second(request, context, next_fn):
    log.append(("second", request))
    return await next_fn(SECOND)

async def handler(request, context):
    log.append(("handler", request))
    return {"status": 200, "log": log, "context": type(context).__name__}
"""


def chain(first="", second=""):
    return CHAIN.replace("FIRST", first).replace("SECOND", second)


async def test_middleware_runs_from_the_outer_to_the_inner_and_sees_the_response(call):
    response = await call(chain(), "http", {"n": 1}, "first, second")
    assert [name for name, _ in response["log"]] == ["first", "second", "handler"]
    assert response["by"] == "first"
    assert response["context"] == "Context"


async def test_all_share_one_request_which_may_be_changed_in_place(call):
    request = {"n": 1}
    response = await call(chain(), "http", request, "first, second")
    assert all(seen is request for _, seen in response["log"])


async def test_a_replacement_is_for_the_next_middleware_and_the_handler_gets_the_original(call):
    response = await call(chain("{'n': 2}"), "http", {"n": 1}, "first, second")
    assert response["log"] == [
        ("first", {"n": 1}),
        ("second", {"n": 2}),
        ("handler", {"n": 1}),
    ]


async def test_the_last_middleware_replaces_nothing(call):
    response = await call(chain("{'n': 2}"), "http", {"n": 1}, "first")
    assert response["log"] == [("first", {"n": 1}), ("handler", {"n": 1})]


async def test_middleware_that_does_not_call_the_next_answers_itself(call):
    source = chain() + "\nasync def stop(request, context, next_fn): return {'status': 401}"
    assert await call(source, "http", {}, "stop, first") == {"status": 401}


async def test_middleware_may_catch_the_handlers_error(call):
    source = """
async def guard(request, context, next_fn):
    try:
        return await next_fn()
    except ValueError as error:
        return {"status": 422, "body": str(error)}

async def handler(request): raise ValueError("no")
"""
    assert await call(source, "http", {}, "guard") == {"status": 422, "body": "no"}


async def test_middleware_may_be_a_plain_function(call):
    """It gives back what next_fn gave it, or a response of its own."""
    source = """
def mark(request, context, next_fn):
    request["user"] = "u"
    return next_fn()

def handler(request): return {"status": 200, "user": request["user"]}
"""
    assert await call(source, "http", {}, "mark, mark") == {"status": 200, "user": "u"}


async def test_a_plain_function_may_answer_itself(call):
    source = """
def stop(request, context, next_fn): return {"status": 403}
def handler(request): raise AssertionError("never called")
"""
    assert await call(source, "http", {}, "stop") == {"status": 403}


async def test_a_cron_handler_behind_middleware_gets_the_context(call):
    source = """
async def passing(data, context, next_fn): return await next_fn()
async def handler(context): return type(context).__name__
"""
    assert await call(source, "cron", None, "passing") == "Context"


async def test_what_is_no_function_in_middleware_is_left_out(call):
    """Motia's loader leaves nulls where functions were."""
    assert await call("async def handler(request): return request", "http", 7, "None, 'x'") == 7


def test_a_file_is_executed_once_and_gives_its_parts(project):
    path = project.write(
        "steps/a_stream.py",
        "config = {'name': 'a', 'canAccess': print, 'middleware': [len]}\nhandler = max",
    )
    project.discover()
    source = SourceFile(path=path, file="steps/a_stream.py", kind="stream", language="python")
    first, second = project.host.load(source), project.host.load(source)
    assert first.config is second.config
    assert (first.handler, first.middleware, first.can_access) == (max, (len,), print)


def test_typed_configs_carry_middleware_and_access_rules_too(project):
    text = """
    from motia_celery import ApiStep, StreamConfig
    config = ApiStep(name="a", path="/", method="GET", middleware=[print])
    async def handler(request): ...
    """
    path = project.write("steps/a_step.py", text)
    project.discover()
    source = SourceFile(path=path, file="steps/a_step.py", kind="step", language="python")
    assert project.host.load(source).middleware == (print,)
