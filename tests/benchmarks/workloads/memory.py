"""Memory of processes that have nothing to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.benchmarks.arena import Arena, Place
from tests.benchmarks.measuring import Sample
from tests.benchmarks.ours import DIRECT, DIRECT_OFF, Ours
from tests.benchmarks.peers.celery import Celery
from tests.benchmarks.peers.peer import System, uvicorn
from tests.benchmarks.peers.taskiq import Taskiq
from tests.benchmarks.processes import Command, memory_megabytes, tree, wait_for
from tests.benchmarks.queues import consumers, take
from tests.benchmarks.web import wait_for_web
from tests.benchmarks.workloads.workload import MEMORY, Contender, Metric, Workload

SETTLE_SECONDS = 2.0
METRICS = (MEMORY, Metric("processes", "processes", ""))


@dataclass
class IdleWeb(Contender):
    """A web process that has answered once."""

    system: Ours | None = None
    app: str = "web_bare"

    def prepare(self, place: Place) -> None:
        if self.system is not None:
            self.system.install(place, "hello")

    def measure(self, place: Place) -> Sample:
        port = place.arena.port()
        running = place.start(self._command(place, port))
        wait_for_web(port, [running], "/hello/grace")
        return settled(running.pid)

    def _command(self, place: Place, port: int) -> Command:
        if self.system is None:
            return uvicorn(place, f"{self.app}:app", port)
        return self.system.web(place, port)


@dataclass
class IdleWorker(Contender):
    """A worker that consumes an empty queue."""

    system: System = DIRECT

    def prepare(self, place: Place) -> None:
        self.system.seed(place, "noop")
        take(place, self.system.queue(place, "noop"))

    def measure(self, place: Place) -> Sample:
        running = place.start(self.system.worker(place))
        queue = self.system.queue(place, "noop")
        wait_for(lambda: consumers(place, queue) > 0, "a consumer", 60, [running], 0.1)
        return settled(running.pid)


def settled(pid: int) -> Sample:
    """What is left a moment after the start."""
    time.sleep(SETTLE_SECONDS)
    return {"memory_mb": memory_megabytes([pid]), "processes": len(tree(pid))}


def _webs(arena: Arena) -> Sequence[Contender]:
    return [
        IdleWeb(DIRECT.name, "motia-celery web, one Step", True, True, None, DIRECT),
        IdleWeb(DIRECT_OFF.name, DIRECT_OFF.configuration, True, False, None, DIRECT_OFF),
        IdleWeb("FastAPI", "uvicorn, one route"),
        IdleWeb(
            "FastAPI, our libraries imported",
            "uvicorn, one route; celery with its AMQP transport, redis.asyncio with the SDK of "
            "OpenTelemetry, and pydantic-settings are imported",
            app="web_libraries",
        ),
    ]


def _workers(arena: Arena) -> Sequence[Contender]:
    same = Celery(module="celery_libraries")  # redis.asyncio, pydantic and uvloop are imported
    systems: list[System] = [DIRECT, DIRECT_OFF, Celery(), same, Celery("prefork", 2), Taskiq()]
    return [
        IdleWorker(s.name, s.configuration, isinstance(s, Ours), False, None, s) for s in systems
    ]


def _workload(
    name: str, title: str, reference: str, found: Callable[[Arena], Sequence[Contender]]
) -> Workload:
    about = "Two seconds after it is ready; what its processes share is counted once."
    return Workload(name, title, about, METRICS, reference, found)


MEMORY_WEB = _workload("memory-web", "Memory of an idle web process", "FastAPI", _webs)
MEMORY_WORKER = _workload("memory-worker", "Memory of an idle worker", "Celery solo", _workers)
