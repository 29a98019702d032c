"""The workloads that grow: the cost of one thing against the size of another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.benchmarks.arena import Arena, Place
from tests.benchmarks.inside.bench_ticks import PAYLOAD
from tests.benchmarks.measuring import Sample, moment, rate
from tests.benchmarks.ours import DIRECT
from tests.benchmarks.processes import BrokenRunError, memory_megabytes, wait_for
from tests.benchmarks.queues import fill, take
from tests.benchmarks.workloads.drain import Draining
from tests.benchmarks.workloads.emit import Emitting
from tests.benchmarks.workloads.start import EVENT
from tests.benchmarks.workloads.waiting import wide
from tests.benchmarks.workloads.workload import (
    BROKER_CPU,
    CPU,
    MEMORY,
    PER_SECOND,
    Contender,
    Metric,
    Workload,
)

ROUNDS = 3
#: As in ``steps/hold``.
HELD_SECONDS = 5
COSTS = (CPU, PER_SECOND, BROKER_CPU, MEMORY)


def sizes(arena: Arena, *full: int) -> list[int]:
    """The sizes of a full run; a smaller run leaves out the larger ones."""
    most = max(full) * min(1.0, max(arena.scale.factor, 0.001))
    return [size for size in full if size <= most] or [min(full)]


def named(size: float) -> str:
    """1000000 as ``1,000,000``."""
    return f"{size:,.0f}"


@dataclass
class ManySteps(Draining):
    """One Step is drained, among so many that wait for events."""

    steps: int = 1

    def prepare(self, place: Place) -> None:
        folder = place.folder / "steps"
        folder.mkdir()
        for number in range(self.steps - 1):
            (folder / f"other_{number}_step.py").write_text(EVENT.format(n=number))
        super().prepare(place)


@dataclass
class LargePayload(Draining):
    """Events whose data has so many bytes."""

    payload_bytes: int = 1000

    def prepare(self, place: Place) -> None:
        DIRECT.install(place, self.task)
        text = "y" * (self.payload_bytes - len(json.dumps(PAYLOAD)))
        DIRECT.emit(place, self.task, {**PAYLOAD, "more": text})
        self.template = take(place, DIRECT.queue(place, self.task))


@dataclass
class DeepQueue(Draining):
    """The first events of a queue in which so many wait."""

    queued: int = 0

    def measure(self, place: Place) -> Sample:
        assert self.template is not None
        fill(place, DIRECT.queue(place, self.task), self.template, self.count + self.queued)
        return rate(place, [place.start(DIRECT.worker(place))], self.count)


@dataclass
class InFlight(Draining):
    """So many Steps that wait, all of them at once; each ticks as it begins and as it ends."""

    def measure(self, place: Place) -> Sample:
        assert self.template is not None
        fill(place, self.system.queue(place, self.task), self.template, self.count)
        running = [place.start(self.system.worker(place))]
        read = place.ticks.read
        wait_for(lambda: read().count > 0, "the first run", 120, running, 0.005)
        before = moment(place, running)
        wait_for(lambda: read().count >= self.count, "all to have begun", 120, running, 0.005)
        begun, memory = read(), memory_megabytes(process.pid for process in running)
        if begun.last - begun.first > HELD_SECONDS:
            raise BrokenRunError("the first ones ended before the last ones began")
        wait_for(lambda: read().count >= 2 * self.count, "all runs", 120, running, 0.005)
        after = moment(place, running)
        return {
            "seconds": begun.last - begun.first,
            "cpu_us": (after.own - before.own) / self.count * 1e6,
            "memory_mb": memory,
        }


def _steps(arena: Arena) -> Sequence[Contender]:
    count = arena.scale.count(10_000, 500)
    return [
        ManySteps(*_facts(size, short=size == 10), system=DIRECT, count=count, steps=size)
        for size in sizes(arena, 1, 10, 100, 1000)
    ]


def _subscribers(arena: Arena) -> Sequence[Contender]:
    return [
        Emitting(
            *_facts(size),
            system=DIRECT,
            count=max(100, arena.scale.count(10_000) // max(1, size // 4) // 100 * 100),
            subscribers=size,
        )
        for size in sizes(arena, 1, 10, 100, 1000)
    ]


def _payload(arena: Arena) -> Sequence[Contender]:
    return [
        LargePayload(
            *_facts(size),
            system=replace(DIRECT, settings={**DIRECT.settings, "event_limit_bytes": "20000000"}),
            count=max(20, min(arena.scale.count(10_000), arena.scale.count(500_000_000) // size)),
            payload_bytes=size,
        )
        for size in sizes(arena, 1000, 10_000, 100_000, 1_000_000, 10_000_000)
    ]


def _in_flight(arena: Arena) -> Sequence[Contender]:
    return [
        InFlight(*_facts(size), system=wide(DIRECT, size), task="hold", count=size)
        for size in sizes(arena, 10, 100, 1000, 10_000)
    ]


def _queued(arena: Arena) -> Sequence[Contender]:
    count = arena.scale.count(10_000, 500)
    return [
        DeepQueue(*_facts(size or 1, named(size)), system=DIRECT, count=count, queued=size)
        for size in (0, *sizes(arena, 1000, 10_000, 100_000, 1_000_000))
    ]


def _facts(size: int, name: str = "", short: bool = False) -> tuple[str, str, bool, bool, float]:
    return (name or named(size), DIRECT.configuration, True, short, size)


STEPS = Workload(
    "growth-steps",
    "A run, in an app of many Steps",
    "One Step's full queue is drained, in a worker that serves so many Steps, each with a queue.",
    COSTS,
    "1",
    _steps,
    "Steps",
    ROUNDS,
)
SUBSCRIBERS = Workload(
    "growth-subscribers",
    "An emit, to many subscribers",
    "Confirmed emits of a hundred handlers, to a topic that so many quorum queues are bound to.",
    COSTS,
    "1",
    _subscribers,
    "subscribers",
    ROUNDS,
)
PAYLOAD_SIZE = Workload(
    "growth-payload",
    "A run, of a large event",
    "A full queue of events whose data has so many bytes.",
    COSTS,
    "1,000",
    _payload,
    "bytes",
    ROUNDS,
)
IN_FLIGHT = Workload(
    "growth-in-flight",
    "A run that waits, beside many",
    f"So many Steps of {HELD_SECONDS} s in one worker, all at once; the time is that in which they "
    "begin, and the memory that with all of them under way.",
    (CPU, Metric("seconds", "time", "s"), MEMORY),
    "10",
    _in_flight,
    "in flight",
    ROUNDS,
)
QUEUED = Workload(
    "growth-queued",
    "A run, from a deep queue",
    "The first events of a queue behind which so many others wait.",
    COSTS,
    "0",
    _queued,
    "events queued",
    ROUNDS,
)
GROWTH = (STEPS, SUBSCRIBERS, PAYLOAD_SIZE, IN_FLIGHT, QUEUED)
