"""Tasks of other Celery apps, as handlers send them."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from motia_celery.context import Context, Services
from motia_celery.errors import ConfigError, EventDataError
from motia_celery.model.run import Run
from motia_celery.model.step import Step
from motia_celery.model.trace import Trace
from motia_celery.stores.memory_state import MemoryState


class Tasks:
    def __init__(self):
        self.sent = []

    async def send(self, call, run, body):
        self.sent.append((call, run, orjson.loads(body)))


@pytest.fixture
def tasks():
    return Tasks()


def make(tasks, **run):
    step = Step(name="bill", file="steps/bill_step.py", language="python")
    services = Services(emitter=None, state=MemoryState(), tasks=tasks)
    values = {"id": "r1", "step": "bill", "trigger": "event", "input": None, "trace": Trace.start()}
    return Context(Run(**{**values, **run}), step, services)


async def test_a_repeated_run_sends_the_same_ids(tasks):
    """The same call twice in a run is two tasks; another run's are others."""
    first = [await make(tasks).celery.send_task("shop.invoice", [1]) for _ in range(2)]
    context = make(tasks)
    twice = [await context.celery.send_task("shop.invoice", [1]) for _ in range(2)]
    other = await make(tasks, id="r2").celery.send_task("shop.invoice", [1])
    assert first[0] == first[1] == twice[0]
    assert len({*twice, other, await context.celery.send_task("shop.invoice", [2])}) == 4


async def test_the_arguments_are_as_celery_has_them(tasks):
    identity = await make(tasks).celery.send_task(
        "shop.invoice", (1,), {"paper": True}, queue="shop", task_id="mine"
    )
    ((call, run, body),) = tasks.sent
    assert (identity, call.id, call.queue, run.id) == ("mine", "mine", "shop", "r1")
    assert body[:2] == [[1], {"paper": True}]
    assert set(body[2]) == {"callbacks", "errbacks", "chain", "chord"}


async def test_a_plain_def_gets_the_id_itself(tasks):
    celery = make(tasks).celery
    identity = await asyncio.to_thread(celery.send_task, "shop.invoice", task_id="mine")
    assert identity == "mine"


async def test_what_can_not_be_sent_names_the_step(tasks):
    celery = make(tasks).celery
    with pytest.raises(ConfigError, match=r"steps/bill_step.py: .*countdown"):
        await celery.send_task("shop.invoice", countdown=-1)
    with pytest.raises(EventDataError, match=r"send_task 'shop\.invoice'"):
        await celery.send_task("shop.invoice", [object()])
    with pytest.raises(ConfigError, match="sends no tasks"):
        await make(None).celery.send_task("shop.invoice")
    assert tasks.sent == []
