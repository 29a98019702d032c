"""From the emit to the handler, on a worker that has nothing else to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.arena import Arena, Place
from tests.benchmarks.measuring import Sample, percentile
from tests.benchmarks.ours import CELERY, DIRECT, DIRECT_OFF, Ours
from tests.benchmarks.peers.celery import Celery
from tests.benchmarks.peers.dramatiq import Dramatiq
from tests.benchmarks.peers.faststream import FastStream
from tests.benchmarks.peers.taskiq import Taskiq
from tests.benchmarks.processes import Command, wait_for
from tests.benchmarks.queues import consumers, take
from tests.benchmarks.workloads.workload import Contender, Metric, Workload

FULL_COUNT = 500
WARM_UP = 20
Peer = Celery | Taskiq | FastStream | Dramatiq


@dataclass
class Latency(Contender):
    """One event at a time, with a pause between them."""

    system: Ours | Peer = DIRECT
    count: int = FULL_COUNT

    def prepare(self, place: Place) -> None:
        self.system.seed(place, "stamp")
        take(place, self._queue(place))

    def measure(self, place: Place) -> Sample:
        running = [place.start(command) for command in self._commands(place)]
        wait_for(lambda: consumers(place, self._queue(place)) > 0, "a consumer", 60, running, 0.1)
        self._publish(place)
        wait_for(lambda: place.ticks.line_count() >= self._all, "all events", 60, running)
        took = place.ticks.numbers()[WARM_UP:]
        return {
            "p50_ms": percentile(took, 0.5) * 1000,
            "p90_ms": percentile(took, 0.9) * 1000,
            "p99_ms": percentile(took, 0.99) * 1000,
        }

    @property
    def _all(self) -> int:
        return self.count + WARM_UP

    def _commands(self, place: Place) -> list[Command]:
        """The worker; ours emit from a Step, in another one."""
        if not isinstance(self.system, Ours):
            return [self.system.worker(place)]
        return [self.system.worker(place, "--steps", step) for step in ("stamper", "stamp")]

    def _queue(self, place: Place) -> str:
        return self.system.queue(place, "stamp")

    def _publish(self, place: Place) -> None:
        if isinstance(self.system, Ours):
            self.system.emit(place, "stamper", {"count": self._all})
        else:
            place.run(self.system.publisher(place, "latency", str(self._all)))


def _contenders(arena: Arena) -> Sequence[Contender]:
    count = arena.scale.count(FULL_COUNT, 30)
    own = (DIRECT, DIRECT_OFF, CELERY)
    systems: list[Ours | Peer] = [*own, Celery(), Taskiq(), FastStream(), Dramatiq()]
    return [
        Latency(s.name, s.configuration, isinstance(s, Ours), s is DIRECT, None, s, count)
        for s in systems
    ]


LATENCY = Workload(
    "latency",
    "From the emit to the begin of the handler",
    "One event at a time, with pauses, to one worker that is idle otherwise.",
    (
        Metric("p50_ms", "p50", "ms"),
        Metric("p90_ms", "p90", "ms"),
        Metric("p99_ms", "p99", "ms"),
    ),
    "Celery solo",
    _contenders,
)
