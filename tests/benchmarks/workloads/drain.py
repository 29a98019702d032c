"""Tasks that do nothing, from a full queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.arena import Arena, Place
from tests.benchmarks.measuring import Sample, rate
from tests.benchmarks.ours import CELERY, DIRECT, VARIANTS, Ours
from tests.benchmarks.peers.celery import Celery
from tests.benchmarks.peers.dramatiq import Dramatiq
from tests.benchmarks.peers.faststream import FastStream
from tests.benchmarks.peers.peer import System
from tests.benchmarks.peers.taskiq import Taskiq
from tests.benchmarks.queues import Template, fill, take
from tests.benchmarks.workloads.workload import RATES, Contender, Workload

FULL_COUNT = 20_000
PEERS: tuple[System, ...] = (
    Celery("solo"),
    Celery("prefork", 2),
    Celery("threads", 10),
    Taskiq(),
    Dramatiq(),
    FastStream(),
)


@dataclass
class Draining(Contender):
    """Fills the task's queue, then starts the workers."""

    system: System = DIRECT
    task: str = "noop"
    count: int = FULL_COUNT
    processes: int = 1
    template: Template | None = None

    def prepare(self, place: Place) -> None:
        self.system.seed(place, self.task)
        self.template = take(place, self.system.queue(place, self.task))

    def measure(self, place: Place) -> Sample:
        assert self.template is not None
        fill(place, self.system.queue(place, self.task), self.template, self.count)
        running = [place.start(self.system.worker(place)) for _ in range(self.processes)]
        return rate(place, running, self.count)


def draining(
    system: System, count: int, *, task: str = "noop", processes: int = 1, short: bool = True
) -> Draining:
    """A contender that drains."""
    return Draining(
        system.name,
        system.configuration,
        ours=isinstance(system, Ours),
        short=short,
        system=system,
        task=task,
        count=count,
        processes=processes,
    )


def _one(arena: Arena) -> Sequence[Contender]:
    count = arena.scale.count(FULL_COUNT, 500)
    short = ("Celery solo", "Taskiq", "Dramatiq", "FastStream", DIRECT.name, CELERY.name)
    return [draining(s, count, short=s.name in short) for s in (*VARIANTS, *PEERS)]


def _two(arena: Arena) -> Sequence[Contender]:
    count = arena.scale.count(2 * FULL_COUNT, 500)
    systems = (DIRECT, CELERY, Celery("solo"), Taskiq(), Dramatiq(), FastStream())
    return [draining(s, count, processes=2, short=False) for s in systems]


DRAIN = Workload(
    "drain",
    "Steps that do nothing, one worker process",
    "A full quorum queue, prefetch 100, late acks, no results; a worker is started and its rate "
    "is taken after the first tenth.",
    RATES,
    "Celery solo",
    _one,
)
DRAIN_TWO = Workload(
    "drain-two",
    "Steps that do nothing, two worker processes",
    "As above, with two workers at once.",
    RATES,
    "Celery solo",
    _two,
)
