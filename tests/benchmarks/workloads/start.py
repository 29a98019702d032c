"""Starting with a thousand Steps."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.arena import INSIDE, Arena, Place
from tests.benchmarks.measuring import Sample
from tests.benchmarks.ours import DIRECT, Ours
from tests.benchmarks.peers.peer import uvicorn
from tests.benchmarks.processes import (
    Command,
    Running,
    cpu_seconds,
    families,
    memory_megabytes,
    wait_for,
)
from tests.benchmarks.queues import consumers
from tests.benchmarks.web import wait_for_web
from tests.benchmarks.workloads.workload import Contender, Metric, Workload

FULL_STEPS = 1000
EVENTS = 0.1  # the share of the Steps that take events; each has a queue of its own

ROUTE = """
config = {{"type": "api", "name": "route-{n}", "method": "GET", "path": "/r/{n}", "emits": []}}


async def handler(req, context):
    return {{"status": 200, "body": {{"number": {n}}}}}
"""
EVENT = """
config = {{"type": "event", "name": "event-{n}", "subscribes": ["t.{n}"], "emits": []}}


async def handler(data, context):
    context.logger.info("Got it", data)
"""
MODULE = """
from fastapi import APIRouter

router = APIRouter()


@router.get("/r/{n}")
async def handler():
    return {{"number": {n}}}
"""
APP = """
import importlib

from fastapi import FastAPI

app = FastAPI()
for number in range({count}):
    # Not include_router, which nests a lifespan for each: a thousand are too deep for Python.
    app.router.routes.extend(importlib.import_module(f"routes.r{{number}}").router.routes)
"""


@dataclass
class Starting(Contender):
    """From the start of the process to its first answer, or to its first consumer."""

    system: Ours = DIRECT
    steps: int = FULL_STEPS

    def prepare(self, place: Place) -> None:
        write_steps(place, self.steps)
        self.system.release(place)

    def measure(self, place: Place) -> Sample:
        port = place.arena.port()
        web = place.start(self.system.web(place, port))
        wait_for_web(port, [web])
        sample = _started("web", web)
        web.kill()
        worker = place.start(self.system.worker(place))
        last = self.system.queue(place, "event-0")
        wait_for(lambda: consumers(place, last) > 0, "a consumer", 180, [worker], 0.05)
        return {**sample, **_started("worker", worker)}


@dataclass
class StartingFastAPI(Contender):
    """As many modules, each with a route."""

    steps: int = FULL_STEPS

    def prepare(self, place: Place) -> None:
        routes = place.folder / "routes"
        routes.mkdir()
        for number in range(self.steps):
            (routes / f"r{number}.py").write_text(MODULE.format(n=number))
        (place.folder / "many_routes.py").write_text(APP.format(count=self.steps))

    def measure(self, place: Place) -> Sample:
        port = place.arena.port()
        command = uvicorn(place, "many_routes:app", port)
        path = {"PYTHONPATH": f"{place.folder}:{INSIDE}"}
        web = place.start(Command(command.arguments, place.folder, path))
        wait_for_web(port, [web])
        return _started("web", web)


def write_steps(place: Place, count: int) -> None:
    """So many Steps: routes, and a tenth of them for events."""
    steps = place.folder / "steps"
    steps.mkdir(exist_ok=True)
    events = max(1, int(count * EVENTS))
    for number in range(count):
        source = EVENT if number < events else ROUTE
        (steps / f"s{number}_step.py").write_text(source.format(n=number))


def _started(what: str, running: Running) -> dict[str, float]:
    return {
        f"{what}_seconds": time.time() - running.began,
        f"{what}_cpu_seconds": cpu_seconds(families([running.pid])),
        f"{what}_mb": memory_megabytes([running.pid]),
    }


def _contenders(arena: Arena) -> Sequence[Contender]:
    many = arena.scale.count(FULL_STEPS, 20)
    tenth = f"a tenth of them for events; {DIRECT.configuration}"
    return [
        Starting(f"ours, {many} Steps", tenth, True, True, many, DIRECT, many),
        Starting("ours, 2 Steps", tenth, True, False, 2, DIRECT, 2),
        StartingFastAPI(f"FastAPI, {many} modules", "uvicorn", False, False, many, many),
        StartingFastAPI("FastAPI, 2 modules", "uvicorn", False, False, 2, 2),
    ]


START = Workload(
    "start",
    "Start with a thousand Steps",
    "From the start of the process to the first answer of the web process, and to the first "
    "consumer of the worker. Files are in the system's cache, and compiled.",
    (
        Metric("web_seconds", "web", "s"),
        Metric("web_cpu_seconds", "its CPU", "s"),
        Metric("web_mb", "its memory", "MB"),
        Metric("worker_seconds", "worker", "s"),
        Metric("worker_cpu_seconds", "its CPU", "s"),
        Metric("worker_mb", "its memory", "MB"),
    ),
    "FastAPI, 2 modules",
    _contenders,
)
