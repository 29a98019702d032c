"""The calls of Motia 1.0's names give their values with await and without."""

from __future__ import annotations

import asyncio

import pytest
from unit.testing.conftest import Write

from motia_celery.runtime.modules import load_module
from motia_celery.testing import StepTester, call_step

MIXED = """
from motia import Stream, enqueue, logger, queue, state_manager

notes = Stream("notes")
config = {
    "name": "mixed",
    "triggers": [queue("go")],
    "enqueues": ["next"],
}


async def save(key, value):
    return state_manager.set("saved", key, value)


async def handler(data, ctx):
    first = state_manager.get("saved", "n")
    changed = state_manager.set("saved", "n", (first or 0) + 1)
    awaited = await state_manager.get("saved", "n")
    missing = state_manager.get("saved", "none") is None
    item = notes.set("g", "1", {"text": "a"})["new_value"]["text"]
    nested = (await save("m", 5))["new_value"]
    ctx.state.set("saved", "unawaited", 1)
    sent = enqueue({"topic": "next", "data": changed})
    by_kind = await ctx.match({"queue": matched})
    found = [first, changed, awaited, missing, item, nested, sent, by_kind]
    await ctx.state.set("out", "all", found)
    return data


async def matched(data):
    return state_manager.get("saved", "n")
"""

HEARS = """
config = {"type": "event", "name": "hears", "subscribes": ["next"], "emits": []}


async def handler(data, context):
    await context.state.set("out", "heard", data)
"""


async def test_values_come_with_await_and_without(project: Write) -> None:
    root = project(mixed=MIXED, hears=HEARS)
    (root / "steps" / "notes_stream.py").write_text('config = {"name": "notes"}\n')
    async with StepTester(root) as app:
        await app.emit("go", 1)
        await app.settle()
        changed = {"old_value": None, "new_value": 1}
        expected = [None, changed, 1, True, "a", 5, True, 1]
        assert await app.state.get("out", "all") == expected
        assert await app.state.get("out", "heard") == changed
        assert await app.state.get("saved", "unawaited") == 1


FAILS = """
from motia import queue, state_manager

config = {{"name": "fails", "triggers": [queue("go")]}}


async def handler(data, ctx):
    {what}
"""


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("state_manager.set('g', 'k', object())", "StateValueError"),
        ("ctx.state.set('g', 'k', object())", "StateValueError"),
        ("raise SystemExit(3)", "SystemExit"),
    ],
)
async def test_what_goes_wrong_fails_the_run(project: Write, what: str, error: str) -> None:
    root = project(fails=FAILS.format(what=what))
    async with StepTester(root) as app:
        await app.emit("go", 1)
        await app.settle()
        (run,) = await app.runs("fails")
        assert (run.status, run.error.type) == ("failed", error)


HOLDS = """
import threading

from motia import queue, state_manager

config = {"name": "holds", "triggers": [queue("go")]}
has_begun, may_end = threading.Event(), threading.Event()


async def handler(data, ctx):
    has_begun.set()
    return may_end.wait(60)
"""


async def test_a_handler_that_waits_holds_up_nobody_else(project: Write) -> None:
    root = project(holds=HOLDS)
    module = load_module(root, root / "steps" / "holds_step.py")
    held = asyncio.create_task(call_step(module, 1, root=root))
    assert await asyncio.to_thread(module.has_begun.wait, 60)
    module.may_end.set()
    assert (await held).result is True
