"""Calls of state that begin at once, without a task of their own."""

from __future__ import annotations

import asyncio

import pytest
from unit.context.test_begin import Changes, run

from motia_celery.context import Context, Services
from motia_celery.context.traced import TracedBegin, traced
from motia_celery.errors import StateValueError
from motia_celery.model.step import Step
from motia_celery.observe import tracing
from motia_celery.observe.recording import Recording
from motia_celery.stores.memory_state import MemoryState


class Linked:
    """Begins calls that end when the test says so; none while it is away."""

    def __init__(self):
        self.is_away = False
        self.calls, self.futures, self.kept = [], [], {}

    def get(self, group, key, form):
        return self._begun(("get", group, key), lambda: form(self.kept.get((group, key))))

    def set(self, group, key, value, ttl_seconds, stored):
        def keep():
            self.kept[group, key] = value
            if stored is not None:
                stored()
            return value

        return self._begun(("set", group, key, ttl_seconds), keep)

    def _begun(self, call, end):
        if self.is_away:
            return None
        self.calls.append(call)
        future = asyncio.get_running_loop().create_future()
        self.futures.append((future, end))
        return future

    def answer(self):
        for future, end in self.futures:
            future.set_result(end())
        self.futures.clear()


@pytest.fixture
def linked():
    return Linked()


@pytest.fixture
def recording():
    return Recording(run(), Changes(), 1000, is_kept=True)


@pytest.fixture
def services(linked):
    return traced(Services(emitter=None, state=MemoryState(), begin_state=linked))


@pytest.fixture
async def context(services, recording):
    return Context(run(), Step(name="a", file="a_step.py", language="python"), services, recording)


def noted(recording):
    return [dict(note.fields) for note in recording.notes]


async def test_a_value_is_stored_before_the_call_returns(context, linked, recording):
    call = context.state.set("g", "k", {"n": 1}, ttl_seconds=5)
    assert linked.calls == [("set", "g", "k", 5)]
    assert noted(recording) == []
    linked.answer()
    assert noted(recording) == [{"op": "set", "group": "g", "key": "k"}]
    assert await call == {"n": 1}


async def test_a_value_is_read_in_the_form_that_handlers_get(context, linked):
    linked.kept["g", "k"] = {"n": 1}
    both, plain = context.state.get("g", "k"), context.state.plain.get("g", "k")
    linked.answer()
    assert (await both)["data"] == {"n": 1}
    assert type(await plain) is dict


async def test_what_the_link_does_not_take_goes_by_the_store(context, linked, recording):
    linked.is_away = True
    await context.state.set("g", "k", 1)
    assert await context.state.get("g", "k") == 1
    assert noted(recording) == [{"op": "set", "group": "g", "key": "k"}]
    with pytest.raises(StateValueError):
        await context.state.set("g", "k", {1})


async def test_calls_from_a_thread_go_by_the_store(context, linked):
    await asyncio.to_thread(context.state.set, "g", "k", 1)
    assert await asyncio.to_thread(context.state.get, "g", "k") == 1
    assert linked.calls == []


async def test_a_run_ends_after_what_it_did_not_await(context, linked):
    context.state.set("g", "k", 1)
    finishing = asyncio.ensure_future(context.finish())
    await asyncio.sleep(0.01)
    assert not finishing.done()
    linked.answer()
    await finishing


async def test_changes_that_start_steps_go_by_the_store(services, linked):
    class Tells:
        def made_by(self, run):
            return self

        def of_state(self, group):
            return None

    services = Services(emitter=None, state=services.state, begin_state=linked, changes=Tells())
    context = Context(run(), Step(name="a", file="a_step.py", language="python"), services)
    await context.state.set("g", "k", 1)
    assert linked.calls == []


async def test_calls_that_are_to_have_a_span_go_by_the_store(linked, monkeypatch):
    begin = TracedBegin(linked)
    assert begin.get("g", "k", str) is not None
    monkeypatch.setattr(tracing, "running", lambda: "a span")
    assert begin.get("g", "k", str) is None
    assert begin.set("g", "k", 1, None) is None
    assert linked.calls == [("get", "g", "k")]
