"""Emits that are sent at once, without a task of their own."""

from __future__ import annotations

import asyncio

import pytest

from motia_celery.context import Context, Services
from motia_celery.errors import EmitError, EventDataError, UndeclaredTopicError
from motia_celery.model.run import Run
from motia_celery.model.step import Emit, Step
from motia_celery.model.trace import Trace
from motia_celery.observe.recording import Recording
from motia_celery.stores.memory_state import MemoryState


class Publisher:
    """Begins emits by ``sent``, and notes those that took the long way."""

    def __init__(self):
        self.events, self.sent, self.long = [], [], []
        self.fault = None
        self.begins = True

    def begin(self, event, options, timeout_seconds):
        if self.fault is not None:
            raise self.fault
        if not self.begins:
            return None
        self.events.append(event)
        self.sent.append(asyncio.get_running_loop().create_future())
        return self.sent[-1]

    async def emit(self, event, options, *, timeout_seconds=None):
        self.long.append(event)
        if self.fault is not None:
            raise self.fault
        return True


class Changes:
    def changed(self, recording):
        pass

    over = changed


@pytest.fixture
def publisher():
    return Publisher()


@pytest.fixture
def recording():
    return Recording(run(), Changes(), 1000, is_kept=True)


@pytest.fixture
async def context(publisher, recording):
    step = Step(name="a", file="a_step.py", language="python", emits=(Emit(topic="t"),))
    services = Services(
        emitter=publisher, state=MemoryState(), begin=publisher.begin, strict_emits=True
    )
    return Context(run(), step, services, recording)


def run():
    return Run(id="r", step="a", trigger="event", input=None, trace=Trace.start())


async def told(recording):
    await asyncio.sleep(0)  # a future tells of its end in the loop's next round
    return [note.fields["ok"] for note in recording.notes]


async def test_an_emit_is_sent_before_the_call_returns(context, publisher, recording):
    call = context.emit(topic="t", data={"n": 1})
    assert [event.body for event in publisher.events] == [b'{"n":1}']
    assert not publisher.long
    publisher.sent[0].set_result(True)
    assert await call is True
    assert await told(recording) == [True]


async def test_what_was_sent_is_the_data_as_it_was(context, publisher):
    data = {"n": 1}
    context.emit(topic="t", data=data)
    data["n"] = 2
    assert publisher.events[0].body == b'{"n":1}'


async def test_the_run_ends_with_its_last_confirm(context, publisher):
    context.emit(topic="t", data=1)
    finishing = asyncio.create_task(context.finish())
    await asyncio.sleep(0)
    assert not finishing.done()
    publisher.sent[0].set_result(True)
    await finishing


async def test_an_emit_that_nobody_awaits_and_that_fails_fails_the_run(
    context, publisher, recording
):
    context.emit(topic="t", data=1)
    publisher.sent[0].set_exception(EmitError("refused", "emit 't'", "Wait."))
    with pytest.raises(EmitError, match="refused"):
        await context.finish()
    assert await told(recording) == [False]


async def test_a_run_that_is_cut_drops_what_was_not_sent(context, publisher, recording):
    context.emit(topic="t", data=1)
    context.cancel()
    assert publisher.sent[0].cancelled()
    assert await told(recording) == [False]


async def test_what_can_not_begin_at_once_takes_the_long_way(context, publisher, recording):
    publisher.begins = False
    assert await context.emit(topic="t", data=1) is True
    assert [event.data for event in publisher.long] == [1]
    assert await told(recording) == [True]


async def test_the_same_data_twice_makes_two_events_by_either_way(context, publisher):
    context.emit(topic="t", data=1)
    publisher.begins = False
    await context.emit(topic="t", data=1)
    assert publisher.events[0].id != publisher.long[0].id


@pytest.mark.parametrize(
    ("topic", "fault"),
    [("t", EventDataError("too large", "emit 't'", "Send less.")), ("other", None)],
)
async def test_a_fault_is_raised_where_the_emit_is_awaited(context, publisher, topic, fault):
    publisher.fault = fault
    call = context.emit(topic=topic, data=1)
    with pytest.raises((EventDataError, UndeclaredTopicError)):
        await call
