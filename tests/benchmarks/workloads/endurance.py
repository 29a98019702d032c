"""Chains for long: whether anything gets slower or grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.arena import Arena, Place
from tests.benchmarks.measuring import Sample
from tests.benchmarks.ours import DIRECT
from tests.benchmarks.processes import Running, memory_megabytes
from tests.benchmarks.web import Chains
from tests.benchmarks.workloads.chain import CLIENTS, Chaining, OurChain
from tests.benchmarks.workloads.workload import PER_SECOND, Contender, Metric, Workload

FULL_COUNT = 200_000
TENTHS = 10


@dataclass
class Enduring(Chaining):
    """The same load ten times in the same processes."""

    def measure(self, place: Place) -> Sample:
        port, running = self.start(place)
        self.load(place, running, port, CLIENTS, 0)
        tenths: list[Chains] = []
        memory: list[float] = []
        for _ in range(TENTHS):
            tenths.append(self.load(place, running, port, self.count // TENTHS, 0))
            memory.append(_memory(running))
        return {
            "last_by_first": tenths[-1].per_second / tenths[0].per_second,
            "per_second": self.count / sum(tenth.seconds for tenth in tenths),
            "last_p99_ms": tenths[-1].percentile_ms(0.99),
            "first_mb": memory[0],
            "last_mb": memory[-1],
        }


def _memory(running: Sequence[Running]) -> float:
    return memory_megabytes(process.pid for process in running)


def _contenders(arena: Arena) -> Sequence[Contender]:
    count = arena.scale.count(FULL_COUNT, 100)
    chain = OurChain(DIRECT)
    return [Enduring(chain.name, chain.configuration, True, False, None, chain, count)]


ENDURANCE = Workload(
    "endurance",
    "Chains for long",
    f"{FULL_COUNT:,} chains in the same two processes by {CLIENTS} clients: the rate of the last "
    "tenth by that of the first, and the memory of both processes after each.",
    (
        Metric("last_by_first", "last tenth by first", "×", more_is_better=True),
        PER_SECOND,
        Metric("last_p99_ms", "p99 of the last tenth", "ms"),
        Metric("first_mb", "memory after the first", "MB"),
        Metric("last_mb", "memory after the last", "MB"),
    ),
    "",
    _contenders,
    rounds=1,
)
