"""Steps with ``once``: a redelivery of a run that has finished does nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from integration.apps import Project

from motia_celery.broker import once as once_module
from motia_celery.broker.gate import LaterError
from motia_celery.broker.once import Once
from motia_celery.model.event import Event
from motia_celery.model.run import Run
from motia_celery.model.step import EventTrigger, QueueOptions, Step
from motia_celery.model.trace import Trace
from motia_celery.settings import Settings
from motia_celery.stores.embedded import EmbeddedServer
from motia_celery.stores.finished import FinishedRuns
from motia_celery.stores.redis import connect

STEP = Step(name="pay", file="steps/pay_step.py", language="python", once=True)


def run(id_: str = "r") -> Run:
    return Run(id=id_, step="pay", trigger="event", input=None, trace=Trace.start())


@pytest.fixture
async def make(redis_url: str, name_prefix: str) -> AsyncIterator[Callable[..., Once]]:
    """Makes what each process has of its own."""
    clients = []

    def make(url: str = redis_url, keep_seconds: float = 60) -> Once:
        clients.append(connect(Settings(redis_url=url, prefix=name_prefix)))
        return Once(FinishedRuns(clients[-1], name_prefix, keep_seconds))

    yield make
    for client in clients:
        await client.aclose()


async def test_a_finished_run_is_known_in_every_process(make: Callable[..., Once]) -> None:
    async with make().turn(STEP, run()) as turn:
        assert not turn.has_finished
        await turn.finish()
    async with make().turn(STEP, run()) as turn:
        assert turn.has_finished
    async with make().turn(STEP, run("another")) as turn:
        assert not turn.has_finished


async def test_a_run_that_failed_may_be_done_again_at_once(make: Callable[..., Once]) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="bad"):
            async with make().turn(STEP, run()) as turn:
                assert not turn.has_finished
                raise ValueError("bad")


async def test_of_two_deliveries_at_once_one_goes_away(make: Callable[..., Once]) -> None:
    async with make().turn(STEP, run()):
        with pytest.raises(LaterError) as caught:
            async with make().turn(STEP, run()):
                raise AssertionError
    assert 2 <= caught.value.seconds <= 5


async def test_a_long_run_stays_taken_and_one_whose_process_died_does_not(
    make: Callable[..., Once], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease is renewed for as long as its process lives."""
    monkeypatch.setattr(once_module, "LEASE_SECONDS", 1.5)
    async with make().turn(STEP, run()):
        await asyncio.sleep(2.5)
        with pytest.raises(LaterError):
            async with make().turn(STEP, run()):
                raise AssertionError
    dead = make()._runs
    assert await dead.begin("r", "dead", 0.3) == "yours"
    await asyncio.sleep(0.6)
    async with make().turn(STEP, run()) as turn:
        assert not turn.has_finished


async def test_in_a_fifo_queue_it_waits_in_its_place(
    make: Callable[..., Once], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Going away would let the next of its group go first."""
    monkeypatch.setattr(once_module, "_AWAY_SECONDS", (0.1, 0.1))
    trigger = EventTrigger(topics=("x",), queue=QueueOptions(type="fifo"))
    fifo = Step(name="pay", file="f", language="python", triggers=(trigger,), once=True)

    async def second() -> bool:
        async with make().turn(fifo, run()) as turn:
            return turn.has_finished

    async with make().turn(fifo, run()) as turn:
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await turn.finish()
    assert await asyncio.wait_for(waiting, 60) is True


async def test_without_redis_a_run_waits_and_is_not_lost(
    make: Callable[..., Once], private_redis: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can not be known whether it has finished; the message comes back later."""
    once = make(private_redis.url)
    await asyncio.to_thread(private_redis.stop)
    with pytest.raises(LaterError):
        async with once.turn(STEP, run()):
            raise AssertionError


def test_a_redelivery_of_a_finished_run_does_nothing(project: Project) -> None:
    """Where the same event runs again without ``once``."""
    project.step("once", ["x"], once=True)
    project.step("often", ["x"])
    worker = project.worker()
    event = project.emit("x", {})
    project.wait_for("once")
    project.wait_for("often")
    project.publisher.emit_blocking(event)
    project.wait_for("often", 2)
    worker.wait_for_line("run.known")
    assert len(project.notes("once", "begun")) == 1


def test_of_two_deliveries_at_once_one_runs(project: Project) -> None:
    """The other goes the way of delayed messages, and does nothing when it comes back."""
    project.step("once", ["x"], once=True)
    worker = project.worker()
    event = Event(topic="x", data={"sleep": 2})
    project.publisher.emit_blocking(event)
    project.wait_for("once", 1, "begun")
    project.publisher.emit_blocking(event)
    worker.wait_for_line("run.known")
    (done,) = project.notes("once", "done")
    assert done["attempt"] == 1
    assert len(project.notes("once", "begun")) == 1


def test_a_run_that_failed_for_good_can_be_replayed(project: Project) -> None:
    project.step("once", ["x"], once=True, retries=1, retry={"backoff": [0], "jitter": 0})
    project.worker()
    event = Event(topic="x", data={"fails": {"once": 2}})
    project.publisher.emit_blocking(event)
    project.dead_letters()
    assert [n["attempt"] for n in project.notes("once", "begun")] == [1, 2]
    project.publisher.emit_blocking(Event(topic="x", data={}, id=event.id))
    (done,) = project.wait_for("once")
    assert done["run"] == project.notes("once", "begun")[0]["run"]
