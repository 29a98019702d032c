"""Routes that answer at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.arena import Arena, Place
from tests.benchmarks.load import Load
from tests.benchmarks.measuring import Sample, moment, percentile
from tests.benchmarks.ours import DIRECT, DIRECT_OFF, Ours
from tests.benchmarks.peers.peer import uvicorn
from tests.benchmarks.processes import Command, memory_megabytes
from tests.benchmarks.web import wait_for_web
from tests.benchmarks.workloads.workload import (
    CPU,
    MEMORY,
    PER_SECOND,
    Contender,
    Metric,
    Workload,
)

FULL_COUNT = 20_000
CLIENTS = 32


@dataclass
class Routing(Contender):
    """GET by 32 clients; ``system`` None is FastAPI alone."""

    system: Ours | None = None
    count: int = FULL_COUNT

    def prepare(self, place: Place) -> None:
        if self.system is not None:
            self.system.install(place, "hello")

    def measure(self, place: Place) -> Sample:
        port = place.arena.port()
        running = [place.start(self._command(place, port))]
        wait_for_web(port, running)
        self._load(port, self.count // 10)
        before = moment(place, running)
        answers, seconds = self._load(port, self.count)
        after = moment(place, running)
        return {
            "per_second": self.count / seconds,
            "p50_ms": percentile(answers, 0.5) * 1000,
            "p99_ms": percentile(answers, 0.99) * 1000,
            "cpu_us": (after.own - before.own) / self.count * 1e6,
            "memory_mb": memory_megabytes(process.pid for process in running),
        }

    def _command(self, place: Place, port: int) -> Command:
        if self.system is None:
            return uvicorn(place, "web_bare:app", port)
        return self.system.web(place, port)

    def _load(self, port: int, count: int) -> tuple[list[float], float]:
        loaded = Load(port, "GET", "/hello/grace", count, CLIENTS).run()
        return loaded.answers, loaded.seconds


def _contenders(arena: Arena) -> Sequence[Contender]:
    count = arena.scale.count(FULL_COUNT, 500)
    bare = "uvicorn with uvloop and httptools, one process, no access log"
    own = [
        Routing(v.name, v.configuration, True, v is DIRECT, None, v, count)
        for v in (DIRECT, DIRECT_OFF)
    ]
    return [*own, Routing("FastAPI", bare, short=True, count=count)]


ROUTE = Workload(
    "route",
    "A route that answers at once",
    f"GET with a path parameter, {CLIENTS} clients that keep their connections, one web process. "
    "Ours makes a run of it, with its context, trace and record.",
    (
        PER_SECOND,
        Metric("p50_ms", "p50", "ms"),
        Metric("p99_ms", "p99", "ms"),
        CPU,
        MEMORY,
    ),
    "FastAPI",
    _contenders,
)
