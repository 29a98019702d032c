"""One event to many subscribers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.arena import Arena, Place
from tests.benchmarks.measuring import Sample
from tests.benchmarks.ours import DIRECT
from tests.benchmarks.peers.celery import Celery
from tests.benchmarks.workloads.emit import Emitting, Publishes
from tests.benchmarks.workloads.workload import RATES, Contender, Workload

FULL_COUNT = 10_000
SUBSCRIBERS = (1, 10, 50)
COSTS = ("cpu_us", "broker_cpu_us")


@dataclass
class TaskForEach(Publishes):
    """A task for each subscriber, which is what a system without topics does."""

    subscribers: int = 1

    def measure(self, place: Place) -> Sample:
        sample = super().measure(place)
        costs = {name: sample[name] * self.subscribers for name in COSTS if name in sample}
        return {**sample, **costs, "per_second": sample["per_second"] / self.subscribers}


def _contenders(arena: Arena) -> Sequence[Contender]:
    peers = ((Celery(), "no confirm"), (Celery(confirms=True), "confirm"))
    return [
        contender
        for width in SUBSCRIBERS
        for count in [max(400, arena.scale.count(FULL_COUNT) // width)]
        for contender in (
            _ours(width, count),
            *(_tasks(peer, what, width, max(200, count // 4) * width) for peer, what in peers),
        )
    ]


def _ours(width: int, count: int) -> Emitting:
    name = f"ours, {_counted(width, 'subscriber')}"
    about = f"{DIRECT.configuration}; {width} quorum queues are bound to the topic"
    return Emitting(name, about, True, width == 10, width, DIRECT, count, width)


def _tasks(peer: Celery, what: str, width: int, count: int) -> TaskForEach:
    name = f"Celery, {_counted(width, 'task')}, {what}"
    return TaskForEach(name, peer.configuration, False, False, width, peer, count, 1, width)


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


FANOUT = Workload(
    "fanout",
    "Emits to 1, 10 and 50 subscribers",
    "What one emit costs when so many queues get it: ours is one publish, and the broker copies "
    "it; Celery sends a task for each. Processor time is per event.",
    RATES,
    "ours, 1 subscriber",
    _contenders,
)
