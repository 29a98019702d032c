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


@dataclass
class TaskForEach(Publishes):
    """A task for each subscriber, which is what a system without topics does."""

    subscribers: int = 1

    def measure(self, place: Place) -> Sample:
        sample = super().measure(place)
        every = self.subscribers
        return {
            "per_second": sample["per_second"] / every,
            "cpu_us": sample["cpu_us"] * every,
            "broker_cpu_us": sample["broker_cpu_us"] * every,
            "memory_mb": sample["memory_mb"],
        }


def _contenders(arena: Arena) -> Sequence[Contender]:
    found: list[Contender] = []
    for width in SUBSCRIBERS:
        about = f"{DIRECT.configuration}; {width} quorum queues are bound to the topic"
        count = max(200, arena.scale.count(FULL_COUNT) // width)
        short = width == 10
        ours = (
            f"ours, {_counted(width, 'subscriber')}",
            about,
            True,
            short,
            width,
            DIRECT,
            count,
            width,
        )
        found.append(Emitting(*ours))
        for peer, what in ((Celery(), "no confirm"), (Celery(confirms=True), "confirm")):
            name = f"Celery, {_counted(width, 'task')}, {what}"
            tasks = max(200, count // 4) * width
            facts = (name, peer.configuration, False, False, width, peer, tasks, 1, width)
            found.append(TaskForEach(*facts))
    return found


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
