"""Tasks that wait, a thousand at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.benchmarks.arena import Arena, Place
from tests.benchmarks.measuring import Sample, moment
from tests.benchmarks.ours import CELERY, DIRECT, DIRECT_OFF, Ours
from tests.benchmarks.peers.celery import Celery
from tests.benchmarks.peers.dramatiq import Dramatiq
from tests.benchmarks.peers.faststream import FastStream
from tests.benchmarks.peers.peer import System
from tests.benchmarks.peers.taskiq import Taskiq
from tests.benchmarks.processes import memory_megabytes, wait_for
from tests.benchmarks.queues import fill
from tests.benchmarks.workloads.drain import Draining
from tests.benchmarks.workloads.workload import CPU, MEMORY, Contender, Metric, Workload

FULL_COUNT = 2000
SLOTS = 1000
WAIT_SECONDS = 0.1


@dataclass
class Waiting(Draining):
    """The time from the first task's begin to the last one's end."""

    def measure(self, place: Place) -> Sample:
        assert self.template is not None
        fill(place, self.system.queue(place, self.task), self.template, self.count)
        running = [place.start(self.system.worker(place))]
        read = place.ticks.read
        wait_for(lambda: read().count > 0, "the first run", 120, running, 0.005)
        before = moment(place, running)
        wait_for(lambda: read().count >= self.count, "all runs", 120, running, 0.005)
        after = moment(place, running)
        ticks = read()
        return {
            "seconds": ticks.last - ticks.first + WAIT_SECONDS,
            "cpu_us": (after.own - before.own) / max(1, after.count - before.count) * 1e6,
            "memory_mb": memory_megabytes(process.pid for process in running),
        }


def waiting(system: System, count: int, short: bool = False, size: float | None = None) -> Waiting:
    """A contender whose tasks wait."""
    return Waiting(
        system.name,
        system.configuration,
        ours=isinstance(system, Ours),
        short=short,
        size=size,
        system=system,
        task="wait",
        count=count,
    )


def wide(system: Ours, slots: int) -> Ours:
    """The variant with so many slots."""
    settings = {**system.settings, "concurrency": str(slots)}
    return replace(system, settings=settings, prefetch=slots)


def _contenders(arena: Arena) -> Sequence[Contender]:
    # Fewer than there are slots would tell nothing, and all of them take a second.
    count = 200 if arena.scale.short else FULL_COUNT
    systems: list[System] = [
        *(wide(system, SLOTS) for system in (DIRECT, DIRECT_OFF, CELERY)),
        Celery("threads", SLOTS, prefetch=SLOTS),
        Celery("gevent", SLOTS, prefetch=SLOTS),
        Taskiq(prefetch=SLOTS),
        FastStream(prefetch=SLOTS),
        Dramatiq(threads=SLOTS, prefetch=SLOTS),
    ]
    return [waiting(s, count, short=s.name == DIRECT.name) for s in systems]


WAITING = Workload(
    "waiting",
    "Steps that wait, a thousand at once",
    f"{FULL_COUNT} tasks of {WAIT_SECONDS * 1000:.0f} ms in one worker process with {SLOTS} slots; "
    f"no system can be faster than {WAIT_SECONDS * FULL_COUNT / SLOTS:.1f} s.",
    (Metric("seconds", "time", "s"), CPU, MEMORY),
    f"Celery gevent {SLOTS}",
    _contenders,
)
