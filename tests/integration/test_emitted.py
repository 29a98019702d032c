"""Idempotent emits: one event for each id, whoever emits it, and whatever dies meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from integration.apps import Project

from motia_celery.broker import emitter as emitter_module
from motia_celery.broker.emitter import Emitter
from motia_celery.errors import EmitError
from motia_celery.model.emit import EmitOptions
from motia_celery.model.event import Event
from motia_celery.plan.inputs import Inputs
from motia_celery.plan.topology import Names, Topology
from motia_celery.settings import Settings
from motia_celery.stores.emitted import EmittedKeys
from motia_celery.stores.outbox import Outbox
from motia_celery.stores.redis import connect
from motia_celery.stores.state import RedisState

OPTIONS = EmitOptions(key="order-42")

EMITS = """
from acts import note

config = {config!r}


async def handler(data, context):
    sent = await context.emit(topic="made", data=data, id=data["id"])
    note("done", config["name"], sent, context)
"""
EMITS_IN_NODE = """
export const config = { type: 'event', name: 'asks-too', subscribes: ['ask-node'] };
export const handler = async (data: any, { emit }: any) => {
  const isSent = await emit({ topic: 'made', data, id: data.id });
  await emit({ topic: 'told', data: { ...data, token: String(isSent) } });
};
"""


class Sent:
    """In the publisher's place: keeps what it gets; ``fails`` before, ``waits`` for an event."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.fails = False
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def emit(self, event: Event, *_: Any, **__: Any) -> None:
        await self.goes_on.wait()
        if self.fails:
            raise EmitError("the broker is away.")
        self.events.append(event)


@pytest.fixture
async def make(redis_url: str, name_prefix: str) -> AsyncIterator[Callable[..., Emitter]]:
    """Makes the emitters of one process each, as many as are wanted."""
    clients = []

    def make(sent: Sent, **more: Any) -> Emitter:
        settings = Settings(redis_url=redis_url, prefix=name_prefix, **more)
        clients.append(connect(settings))
        keys = EmittedKeys(clients[-1], name_prefix, settings.emit_dedupe_seconds)
        outbox = Outbox(clients[-1], name_prefix, RedisState(clients[-1], name_prefix))
        topology = Topology(Names(name_prefix))
        return Emitter(settings, sent, keys, outbox, Inputs(()), topology)  # type: ignore[arg-type]

    yield make
    for client in clients:
        await client.aclose()


def made(topic: str = "made") -> Event:
    return Event(topic=topic, data={})


async def test_the_second_emit_of_an_id_is_dropped_in_every_process(
    make: Callable[..., Emitter],
) -> None:
    sent = Sent()
    assert await make(sent).emit(made(), OPTIONS) is True
    assert await make(sent).emit(made(), OPTIONS) is False
    assert len(sent.events) == 1


async def test_an_id_counts_for_its_topic_only(make: Callable[..., Emitter]) -> None:
    sent = Sent()
    emitter = make(sent)
    assert await emitter.emit(made(), OPTIONS)
    assert await emitter.emit(made("other"), OPTIONS)
    assert await emitter.emit(made(), EmitOptions(key="order-43"))
    assert await emitter.emit(made(), EmitOptions())


async def test_of_many_at_once_one_is_sent(make: Callable[..., Emitter]) -> None:
    """The others wait for its outcome."""
    sent = Sent()
    sent.goes_on.clear()
    emitters = [make(sent) for _ in range(3)]
    emits = [asyncio.create_task(e.emit(made(), OPTIONS)) for e in emitters * 4]
    await asyncio.sleep(0.3)
    assert not any(emit.done() for emit in emits)
    sent.goes_on.set()
    assert sorted(await asyncio.gather(*emits)) == [False] * 11 + [True]
    assert len(sent.events) == 1


async def test_an_emit_that_failed_leaves_its_id_to_the_next_at_once(
    make: Callable[..., Emitter],
) -> None:
    sent = Sent()
    sent.fails = True
    with pytest.raises(EmitError):
        await make(sent).emit(made(), OPTIONS)
    sent.fails = False
    assert await asyncio.wait_for(make(sent).emit(made(), OPTIONS), 60) is True


async def test_an_emitter_that_died_leaves_its_id_with_the_same_event(
    make: Callable[..., Emitter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it had published or not: both name the same runs."""
    monkeypatch.setattr(emitter_module, "LEASE_SECONDS", 0.5)
    dying, sent = Sent(), Sent()
    first = make(dying)

    async def die(*_: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(first, "_confirm", die)
    with pytest.raises(SystemExit):
        await first.emit(made(), OPTIONS)
    assert await make(sent).emit(made(), OPTIONS) is True
    assert [e.id for e in dying.events] == [e.id for e in sent.events]


async def test_after_the_window_an_id_makes_a_new_event(make: Callable[..., Emitter]) -> None:
    sent = Sent()
    emitter = make(sent, emit_dedupe_seconds=0.3)
    assert await emitter.emit(made(), OPTIONS)
    await asyncio.sleep(0.6)
    assert await emitter.emit(made(), OPTIONS)
    assert len({event.id for event in sent.events}) == 2


async def test_one_that_waits_for_another_gives_up_in_time(make: Callable[..., Emitter]) -> None:
    sent = Sent()
    sent.goes_on.clear()
    first = asyncio.create_task(make(sent).emit(made(), OPTIONS))
    await asyncio.sleep(0.2)
    with pytest.raises(EmitError, match=r"made.*order-42"):
        await make(sent).emit(made(), OPTIONS, timeout_seconds=0.3)
    sent.goes_on.set()
    assert await first is True


def test_an_id_counts_for_handlers_of_both_languages(project: Project) -> None:
    """Of two emits one is sent, and its handler is told so."""
    project.step("asks", ["ask"], source=EMITS)
    project.step("made", ["made"])
    project.step("told", ["told"])
    (project.folder / "steps" / "asks_too.step.ts").write_text(EMITS_IN_NODE)
    project.worker()
    project.emit("ask", {"id": "order-1"})
    (python,) = project.wait_for("asks")
    project.publish(project.names.queue("asks-too"), b'{"id": "order-1"}')
    project.publish(project.names.queue("asks-too"), b'{"id": "order-2"}')
    project.wait_for("made", 2, seconds=60)
    assert python["data"] is True
    told = {note["data"]["id"]: note["data"]["token"] for note in project.wait_for("told", 2)}
    assert told == {"order-1": "false", "order-2": "true"}
    assert {n["data"]["id"] for n in project.notes("made", "done")} == {"order-1", "order-2"}
    assert len(project.notes("made", "done")) == 2
