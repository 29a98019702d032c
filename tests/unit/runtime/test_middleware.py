"""Middleware of the whole project is around every API Step, in whichever language."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from unit.conftest import Folder

from motia_celery.context import Services
from motia_celery.context.request import Request
from motia_celery.model.run import Outcome, Run, Success
from motia_celery.model.trace import Trace
from motia_celery.runtime.invoke import Invoker
from motia_celery.runtime.middleware import AppMiddleware
from motia_celery.stores.memory_state import MemoryState

PYTHON_STEP = """
import asyncio

ended = []


async def own(req, context, next_fn):
    req["seen"].append("own")
    return await next_fn()


config = {
    "type": "api", "name": "py", "method": "POST", "path": "/py", "emits": [], "middleware": [own]
}


async def handler(req, context):
    if req["body"].get("fails"):
        raise LookupError("no such order")
    try:
        await asyncio.sleep(req["body"].get("sleeps", 0))
    except asyncio.CancelledError:
        ended.append("cut")
        raise
    return {"status": 200, "body": {"seen": req["seen"], "user": req.get("user"), "x": req["body"]}}
"""

TYPESCRIPT_STEP = """
export const config = {
  type: 'api', name: 'ts', method: 'POST', path: '/ts', emits: [],
  middleware: [async (req: any, ctx: any, next: any) => { req.seen.push('own'); return next(); }],
};
export const handler = async (req: any, ctx: any) => {
  if (req.body.fails) throw new Error('no such order');
  return { status: 200, body: { seen: req.seen, user: req.user, mark: ctx.mark, x: req.body } };
};
"""

EVENT_STEP = """
config = {"type": "event", "name": "event", "subscribes": ["x"], "emits": []}


async def handler(data, context):
    return "ran"
"""

PYTHON_CONFIG = """
async def outer(req, context, next_fn):
    if req["headers"].get("authorization") is None:
        return {"status": 401, "body": {}}
    req["user"] = "ann"
    req["seen"].append("outer")
    response = await next_fn()
    return {**response, "headers": {"x-by": "outer"}}


def inner(req, context, next_fn):
    req["seen"].append("inner")
    return next_fn()


middleware = [outer, inner]
"""

TYPESCRIPT_CONFIG = """
import { defineConfig } from 'motia';

export default defineConfig({
  middleware: [
    async (req: any, ctx: any, next: any) => {
      if (!req.headers.authorization) return { status: 401, body: {} };
      Object.assign(req, { user: 'ann' });
      req.seen.push('outer');
      ctx.mark = 'shared';
      await ctx.state.set('requests', 'last', req.body);
      return { ...(await next()), headers: { 'x-by': 'outer' } };
    },
    (req: any, ctx: any, next: any) => { req.seen.push('inner'); return next(); },
  ],
});
"""

ANSWER = {"seen": ["outer", "inner", "own"], "user": "ann"}


class App:
    """A project's Steps, ready to be called."""

    def __init__(self, project: Folder, *, in_node: bool = False) -> None:
        project.write("steps/py_step.py", PYTHON_STEP)
        if in_node:
            project.write("steps/ts.step.ts", TYPESCRIPT_STEP)
        project.write("steps/event_step.py", EVENT_STEP)
        self.found = project.discover()
        self.node, self.state = project.node, MemoryState()
        assert project.host is not None
        hosts = {"python": project.host, "typescript": self.node, "javascript": self.node}
        self.invoker = Invoker(
            {step.name: replace(step, timeout_seconds=20) for step in self.found.steps},
            hosts,
            Services(emitter=None, state=self.state),  # type: ignore[arg-type]
            project.root,
            middleware=AppMiddleware(self.found.middleware, hosts),  # type: ignore[arg-type]
        )

    async def run(self, step: str, trigger: Any, given: Any) -> Outcome:
        run = Run(id="r", step=step, trigger=trigger, input=given, trace=Trace.start())
        return await asyncio.wait_for(self.invoker.invoke(run), 60)

    async def post(self, step: str, headers: Any = None, **body: Any) -> Outcome:
        headers = {"authorization": "a"} if headers is None else headers
        request = {"headers": headers, "body": body, "rawBody": "{}", "seen": []}
        given = Request(request, method="POST", path="/", raw_bytes=b"{}")
        return await self.run(step, "http", given)


@pytest.mark.parametrize(
    ("file", "text", "mark"),
    [
        ("motia_config.py", PYTHON_CONFIG, None),
        ("motia.config.ts", TYPESCRIPT_CONFIG, "shared"),
    ],
)
async def test_it_is_around_each_api_step_outside_of_its_own(
    project: Folder, file: str, text: str, mark: str | None
) -> None:
    """It changes requests and responses, or answers itself; a handler's error goes through it."""
    project.write(file, text)
    app = App(project, in_node=True)
    try:
        assert app.found.problems == ()
        answer = await app.post("py", x=1)
        assert isinstance(answer, Success)
        assert answer.result["body"] == ANSWER | {"x": {"x": 1}}
        assert answer.result["headers"] == {"x-by": "outer"}
        answer = await app.post("ts", x=2)
        assert isinstance(answer, Success)
        marked = {} if mark is None else {"mark": mark}  # a context is shared in one process
        assert answer.result["body"] == ANSWER | marked | {"x": {"x": 2}}
        for step in ("py", "ts"):
            assert await app.post(step, {}) == Success({"status": 401, "body": {}})
        assert (await app.run("event", "event", {})) == Success("ran")
        failure = await app.post("py", fails=True)
        assert (failure.error.type, failure.error.where) == ("LookupError", "steps/py_step.py:19")  # type: ignore[union-attr]
        failure = await app.post("ts", fails=True)
        assert failure.error.message == "no such order"  # type: ignore[union-attr]
        if mark:
            assert await app.state.get("requests", "last") == {"fails": True}
    finally:
        await app.node.aclose()


async def test_a_handler_in_another_process_is_cut_with_its_middleware(project: Folder) -> None:
    project.write("motia.config.ts", TYPESCRIPT_CONFIG)
    app = App(project)
    try:
        await app.post("py")  # Node has started
        app.invoker._steps = {  # type: ignore[assignment]
            name: replace(step, timeout_seconds=0.2) for name, step in app.invoker._steps.items()
        }
        failure = await app.post("py", sleeps=600)
        assert failure.error.type == "RunTimeoutError"  # type: ignore[union-attr]
        from motia_project.steps.py_step import ended  # type: ignore[import-not-found]

        assert ended == ["cut"]
    finally:
        await app.node.aclose()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("motia_config.py", "import nothing_such\nmiddleware = []"),
        ("motia_config.py", "middleware = ['x']"),
        ("motia.config.ts", "import 'nothing-such';\nexport default { middleware: [] };"),
    ],
)
async def test_middleware_that_can_not_be_called_lets_no_request_through(
    project: Folder, file: str, text: str
) -> None:
    project.write(file, text)
    app = App(project)
    try:
        (problem,) = app.found.problems
        assert (problem.file, problem.severity) == (file, "error")
        failure = await app.post("py")
        assert "no request is let through" in failure.error.message  # type: ignore[union-attr]
        assert (await app.run("event", "event", {})) == Success("ran")
    finally:
        await app.node.aclose()
