"""A Step with a list of triggers: which function runs, with which arguments, and whether at all."""

from __future__ import annotations

import logging

import pytest
from pydantic import BaseModel

from motia_celery.context import Context, Services
from motia_celery.context.request import Request
from motia_celery.errors import InputMismatchError
from motia_celery.model.run import Run
from motia_celery.model.trace import Trace
from motia_celery.runtime.definitions import describe
from motia_celery.runtime.source import Definition, SourceFile
from motia_celery.stores.memory_state import MemoryState
from motia_celery.testing.reply import WholeReply

INPUTS = {"http": Request({"body": "b"}), "event": "d", "cron": None}

TRIGGERS = """
HTTP = {"type": "http", "method": "GET", "path": "/a"}
OTHER = {"type": "http", "method": "GET", "path": "/b"}
QUEUE = {"type": "queue", "topic": "x"}
CRON = {"type": "cron", "expression": "0 0 9 * * *"}

def with_(trigger, **more):
    return {**trigger, **more}

def step_of(*triggers):
    return {"name": "a", "triggers": [*triggers]}
"""


class Deaf:
    async def emit(self, event, options, **more):
        raise AssertionError("nothing is emitted here")


class Called:
    """A Step's file, and its handler called by a trigger."""

    def __init__(self, project):
        self.project = project

    def write(self, source):
        self.project.write("steps/a_step.py", f"{TRIGGERS}\n{source}\n")
        return self.project.discover()

    async def by(self, trigger, topic="x", index=None):
        topic = topic if trigger == "event" else None
        run = Run(
            id="r",
            step="a",
            trigger=trigger,
            input=INPUTS[trigger],
            trace=Trace.start(),
            topic=topic,
            trigger_index=index,
        )
        (step,) = self.found.steps
        context = Context(run, step, Services(emitter=Deaf(), state=MemoryState()))
        return await self.project.host.call(run, context)

    def __call__(self, source):
        self.found = self.write(source)
        assert [p for p in self.found.problems if p.severity == "error"] == []
        return self


@pytest.fixture
def app(project):
    return Called(project)


MIXED = "config = step_of(HTTP, QUEUE, CRON)\n"


def shown(values):
    return [type(value).__name__ for value in values]


@pytest.mark.parametrize("way", ["async def", "def"])
@pytest.mark.parametrize(
    ("parameters", "http", "event", "cron"),
    [
        ("given, ctx", ["Request", "Context"], ["str", "Context"], ["NoneType", "Context"]),
        ("given", ["Request"], ["str"], ["NoneType"]),
        ("ctx", ["Context"], ["Context"], ["Context"]),
        ("_context", ["Context"], ["Context"], ["Context"]),
        ("*rest", ["Request", "Context"], ["str", "Context"], ["NoneType", "Context"]),
        ("", [], [], []),
    ],
)
async def test_one_handler_of_all_triggers_gets_what_fits(app, way, parameters, http, event, cron):
    names = parameters.replace("*rest", "*rest,")
    app(f"{MIXED}{way} handler({parameters}): return [{names}]")
    assert shown(await app.by("http")) == http
    assert shown(await app.by("event")) == event
    assert shown(await app.by("cron")) == cron


async def test_a_handler_of_cron_alone_gets_the_context(app):
    app("config = step_of(CRON)\ndef handler(anything): return [anything]")
    assert shown(await app.by("cron")) == ["Context"]


MANY = """
from motia import multi_trigger_step

async def on_request(request, ctx): return ("http", request.body, ctx.trigger.path)
def on_event(data): return ("queue", data)
def on_tick(tick): return ("cron", type(tick).__name__)
"""


@pytest.mark.parametrize(
    "made",
    [
        MIXED + "config, handler = multi_trigger_step(config)"
        ".on_http(on_request).on_queue(on_event).on_cron(on_tick).handlers()",
        "whole = multi_trigger_step(step_of(HTTP, QUEUE, CRON)).handlers("
        "{'api': on_request, 'queue': on_event, 'cron': on_tick})",
        MIXED + "whole = multi_trigger_step(config)"
        ".on_http(on_request).on_queue(on_event).handlers({'cron': on_tick})",
        "config = multi_trigger_step(step_of(HTTP, QUEUE, CRON))"
        ".on_api(on_request).on_queue(on_event).on_cron(on_tick).handlers()",
    ],
)
async def test_each_kind_of_trigger_may_have_a_handler(app, made):
    app(MANY + made)
    assert await app.by("http") == ("http", "b", "/a")
    assert await app.by("event") == ("queue", "d")
    assert await app.by("cron") == ("cron", "Context")


async def test_a_step_may_be_one_value(app):
    app("from motia import step\nit = step(step_of(QUEUE), lambda data: data)")
    assert await app.by("event") == "d"


def test_a_trigger_without_handler_is_an_error(app):
    source = "config = multi_trigger_step(step_of(HTTP, QUEUE)).on_http(on_request).handlers()"
    found = app.write(MANY + source)
    assert found.steps == ()
    (problem,) = found.problems
    assert (problem.severity, "queue trigger" in problem.what) == ("error", True)


async def test_middleware_belongs_to_its_trigger(app):
    app("""
async def mark(request, ctx, next_fn): return ("marked", await next_fn())
config = step_of(with_(HTTP, middleware=[mark]), OTHER, QUEUE)
def handler(given, ctx): return ctx.trigger.path
""")
    assert await app.by("http", index=0) == ("marked", "/a")
    assert await app.by("http", index=1) == "/b"
    assert await app.by("event") is None


@pytest.mark.parametrize("way", ["async def", "def"])
@pytest.mark.parametrize(
    ("parameters", "expression"),
    [
        ("data, ctx", "data == 'd' and ctx.trigger.topic == 'x'"),
        ("data", "data == 'd'"),
        ("ctx", "ctx.is_queue()"),
        ("", "1"),
    ],
)
async def test_a_condition_decides_whether_the_handler_runs(app, way, parameters, expression):
    app(f"""
{way} holds({parameters}): return {expression}
{way} never({parameters}): return False
config = step_of(with_(QUEUE, condition=holds), with_(QUEUE, topic="y", condition=never))
async def handler(): return "ran"
""")
    assert await app.by("event", "x") == "ran"
    assert await app.by("event", "y") is None


async def test_a_run_whose_condition_is_false_is_skipped_with_a_line(app, caplog):
    app("""
def never(data, ctx): return False
config = step_of(with_(QUEUE, condition=never), with_(HTTP, condition=never), CRON)
def handler(): return "ran"
""")
    with caplog.at_level(logging.INFO):
        assert await app.by("event") is None
    assert "Skipped: the condition of its queue trigger is false" in caplog.messages
    response = await app.by("http")
    assert (response["status"], response["body"]["skipped"]) == (422, True)
    assert await app.by("cron") == "ran"


async def test_a_condition_that_raises_fails_the_run(app):
    app("""
def broken(data): return data["nothing"]
config = step_of(with_(QUEUE, condition=broken))
def handler(): return "ran"
""")
    with pytest.raises(TypeError):
        await app.by("event")


async def test_a_condition_that_is_no_function_is_an_error_and_never_holds(app):
    found = app.found = app.write(
        'config = step_of(with_(QUEUE, condition="yes"))\ndef handler(): return "ran"'
    )
    (problem,) = found.problems
    assert (problem.severity, problem.field) == ("error", "triggers.0.condition")
    assert await app.by("event") is None


def test_cron_triggers_with_conditions_of_their_own_are_a_problem(app):
    source = "config = step_of(CRON, with_(CRON, condition=print))\ndef handler(): ..."
    (problem,) = app.write(source).problems
    assert (problem.severity, "several conditions" in problem.what) == ("warning", True)


MODEL = """
from pydantic import BaseModel
from motia import StepConfig

class Order(BaseModel):
    item: str

def handler(order, ctx): return order.item
"""


@pytest.mark.parametrize(
    "config",
    [
        "step_of(with_(QUEUE, input=Order))",
        "StepConfig(name='a', triggers=[with_(QUEUE, input=Order)])",
    ],
)
async def test_a_model_as_input_is_what_the_handler_gets(app, config, monkeypatch):
    app(f"{MODEL}config = {config}")
    monkeypatch.setitem(INPUTS, "event", {"item": "pen"})
    assert await app.by("event") == "pen"
    monkeypatch.setitem(INPUTS, "event", {"item": 7})
    with pytest.raises(InputMismatchError):
        await app.by("event")


async def test_annotations_are_for_the_triggers_that_they_fit(app, monkeypatch):
    monkeypatch.setitem(INPUTS, "event", {"item": "pen"})
    monkeypatch.setitem(INPUTS, "http", Request({"body": {"item": "ink"}}))
    app("""
from pydantic import BaseModel
from motia import ApiRequest
class Order(BaseModel):
    item: str
config = step_of(with_(QUEUE, input=Order), HTTP, CRON)
def handler(given: ApiRequest[Order], ctx):
    return given.body if ctx.is_http() else given
""")
    assert (await app.by("event")).item == "pen"
    assert (await app.by("http")).item == "ink"
    assert await app.by("cron") is None


async def test_an_annotated_model_does_not_keep_the_clock_from_starting_a_step(app, monkeypatch):
    monkeypatch.setitem(INPUTS, "event", {"item": "pen"})
    app(f"{MODEL}config = step_of(QUEUE, CRON)\ndef handler(order: Order, ctx): return order")
    assert (await app.by("event")).item == "pen"
    assert await app.by("cron") is None


def test_a_module_named_motia_that_the_project_has_is_not_shadowed(project, tmp_path, monkeypatch):
    import sys

    monkeypatch.delitem(sys.modules, "motia", raising=False)
    project.write("motia.py", "def http(method, path): return 'their own'")
    project.write("steps/a_step.py", "from motia import http\nconfig = http('GET', '/')")
    path = tmp_path / "steps" / "a_step.py"
    project.discover()
    source = SourceFile(path=path, file="steps/a_step.py", kind="step", language="python")
    assert project.host.load(source).config == "their own"


class Order(BaseModel):
    item: str


def test_a_list_of_triggers_is_told_to_other_processes_without_its_functions():
    trigger = {"type": "http", "method": "GET", "path": "/", "condition": print}
    schemas = {"bodySchema": Order, "response_schema": {200: Order}, "middleware": [print]}
    definition = Definition(config={"name": "a", "triggers": [{**trigger, **schemas}]})
    schema = Order.model_json_schema()
    told = {"bodySchema": schema, "response_schema": {"200": schema}}
    assert describe(definition)["config"]["triggers"] == [
        {"type": "http", "method": "GET", "path": "/", **told}
    ]


@pytest.mark.parametrize("annotation", ["MotiaHttpArgs", "MotiaHttpArgs[dict]"])
async def test_the_argument_of_a_handler_may_hold_the_request(app, annotation):
    app(f"""
from motia import MotiaHttpArgs
config = step_of(HTTP)
def handler(args: {annotation}): return args.request.body
""")
    assert app.found.problems == ()
    assert await app.by("http") == "b"


async def test_a_handler_may_write_its_response(app, monkeypatch):
    app("""
from motia import MotiaHttpArgs
config = step_of(HTTP, QUEUE)
async def handler(args: MotiaHttpArgs[dict], ctx):
    await args.response.status(201)
    args.response.writer.stream.write("a")
    await args.response.stream(["b"])
    return {"status": 500}
""")
    assert app.found.problems == ()
    reply = WholeReply()
    monkeypatch.setattr(INPUTS["http"], "reply", reply)
    assert await app.by("http") is None
    assert reply.result == {"status": 201, "headers": {}, "body": "ab"}
