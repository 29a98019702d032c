"""Events published, each confirmed by the broker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.arena import Arena, Place
from tests.benchmarks.measuring import Sample, rate
from tests.benchmarks.ours import DIRECT, VARIANTS, Ours
from tests.benchmarks.peers.aio_pika import AioPika
from tests.benchmarks.peers.celery import Celery
from tests.benchmarks.peers.dramatiq import Dramatiq
from tests.benchmarks.peers.faststream import FastStream
from tests.benchmarks.peers.frames import Frames
from tests.benchmarks.peers.peer import Publishing
from tests.benchmarks.peers.taskiq import Taskiq
from tests.benchmarks.queues import Template, fill, quorum_queue, take
from tests.benchmarks.workloads.workload import RATES, Contender, Workload

FULL_COUNT = 20_000
HANDLERS = 100
BARE = AioPika()


@dataclass
class Emitting(Contender):
    """A hundred handlers at once in one worker, each awaiting the confirm of each of its emits.

    The events go to ``subscribers`` queues.
    """

    system: Ours = DIRECT
    count: int = FULL_COUNT
    subscribers: int = 1
    template: Template | None = None

    def prepare(self, place: Place) -> None:
        self.system.install(place, "emit")
        for name in self._sinks:
            quorum_queue(place, name, f"{place.prefix}.events", "sink")
        self.system.emit(place, "emit", {"count": self.count // HANDLERS})
        self.template = take(place, self._queue(place))

    def measure(self, place: Place) -> Sample:
        assert self.template is not None
        purge(place, self._sinks)
        fill(place, self._queue(place), self.template, HANDLERS)
        running = [place.start(self.system.worker(place))]
        return rate(place, running, self.count // HANDLERS * HANDLERS)

    @property
    def _sinks(self) -> list[str]:
        return [f"sink-{number}" for number in range(self.subscribers)]

    def _queue(self, place: Place) -> str:
        return self.system.queue(place, "emit")


@dataclass
class Publishes(Contender):
    """A process that publishes with the peer's client, ``flight`` at once."""

    peer: Publishing = BARE
    count: int = FULL_COUNT
    flight: int = 100

    def measure(self, place: Place) -> Sample:
        command = self.peer.publisher(place, "emit", str(self.count), str(self.flight))
        return rate(place, [place.start(command)], self.count // self.flight * self.flight)


def purge(place: Place, queues: Sequence[str]) -> None:
    """Empties these queues."""
    with place.channel() as channel:
        for name in queues:
            channel.queue_purge(name)


def publishes(
    peer: Publishing, name: str, count: int, flight: int, short: bool = False
) -> Publishes:
    """A contender that publishes."""
    about = f"{peer.configuration}; {flight} at once"
    return Publishes(f"{peer.name}, {name}", about, False, short, None, peer, count, flight)


def _contenders(arena: Arena) -> Sequence[Contender]:
    count = arena.scale.count(FULL_COUNT, 500)
    few = max(200, count // 8)  # one round trip each takes its time
    own = [Emitting(v.name, v.configuration, True, v is DIRECT, None, v, count) for v in VARIANTS]
    return [
        *own,
        publishes(Celery(), "no confirm", count // 2, 1, short=True),
        publishes(Celery(confirms=True), "confirm", few, 1, short=True),
        publishes(Celery(confirms=True), "confirm, 10 threads", few, 10),
        publishes(BARE, "100 in flight", count, 100, short=True),
        publishes(Taskiq(), "100 in flight", count, 100),
        publishes(FastStream(), "100 in flight", count, 100),
        publishes(Dramatiq(), "no confirm", count, 1),
        publishes(Dramatiq(confirms=True), "confirm", few, 1),
        publishes(Frames(), "100 in flight", count, 100, short=True),
    ]


EMIT = Workload(
    "emit",
    "Confirmed emits from a hundred handlers at once",
    "One worker runs 100 handlers, each awaiting the broker's confirm of each of its emits; peers "
    "publish with their own client. Processor time is per event. *No client* writes what was made "
    "beforehand: the most that RabbitMQ takes here from a connection with 100 events in flight.",
    RATES,
    "Celery solo, confirm",
    _contenders,
)
