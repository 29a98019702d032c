"""A Workbench made in a test, with stand-ins for brokers and records; its stores are in memory."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from unit.run.web_apps import Routed, Runs, never_emit

from motia_celery.broker.depths import Depth, Depths
from motia_celery.model.event import Event
from motia_celery.model.step import EventTrigger, HttpTrigger, Step
from motia_celery.plan import compile_plan
from motia_celery.plan.topology import QueuePlan
from motia_celery.run.connection import STOP, Connection
from motia_celery.run.web import create_app
from motia_celery.settings import Settings
from motia_celery.stores.memory_state import MemoryState
from motia_celery.stores.memory_streams import MemoryStreams
from motia_celery.workbench.serving import Workbench
from motia_celery.workbench.shapes.feed import LogMessage, RunMessage
from motia_celery.workbench.shapes.runs import (
    LogLine,
    Logs,
    LogsQuery,
    RunDetail,
    RunsQuery,
    RunView,
    TraceView,
)
from motia_celery.workbench.shapes.runs import (
    Runs as RunPage,
)
from motia_celery.workbench.sources import Sources

STEPS = (
    Step(
        name="makes",
        file="steps/makes_step.py",
        language="python",
        triggers=(EventTrigger(topics=("made",)),),
    ),
    Step(
        name="asks",
        file="steps/asks_step.py",
        language="python",
        triggers=(HttpTrigger(method="GET", path="/asks"),),
    ),
)


def a_run(id: str = "r1", step: str = "makes", **fields: Any) -> RunDetail:
    kept = {"trigger": "event", "status": "failed", "topic": "made", "trace_id": "t1", **fields}
    return RunDetail(id=id, step=step, **kept)


def summary(run: RunDetail) -> RunView:
    return RunView(**run.model_dump(include=set(RunView.model_fields)))


class Kept:
    """Stands for the records: what the test put there."""

    def __init__(self, *runs: RunDetail) -> None:
        self.held = {run.id: run for run in runs}
        self.asked: list[Any] = []
        self.told: asyncio.Queue[RunMessage | LogMessage | None] = asyncio.Queue()
        self.following = 0

    async def runs(self, query: RunsQuery) -> RunPage:
        self.asked.append(query)
        runs = (
            RunView(**dict(run.model_dump(include=set(RunView.model_fields))))
            for run in self.held.values()
        )
        return RunPage(runs=tuple(runs), next="more", total=len(self.held))

    async def run(self, run_id: str) -> RunDetail | None:
        return self.held.get(run_id)

    async def trace(self, trace_id: str) -> TraceView | None:
        runs = tuple(run for run in self.held.values() if run.trace_id == trace_id)
        return (
            TraceView(id=trace_id, name="makes", status="failed", runs=runs, spans=())
            if runs
            else None
        )

    async def logs(self, query: LogsQuery) -> Logs:
        self.asked.append(query)
        return Logs(lines=(LogLine(id="1", at=1, level="info", message="hello"),))

    async def clear(self) -> None:
        self.held.clear()

    async def changes(self) -> AsyncGenerator[RunMessage | LogMessage | None, None]:
        self.following += 1
        try:
            while True:
                yield await self.told.get()
        finally:
            self.following -= 1

    def close(self) -> None:
        return


class Sent:
    """Stands for the publisher, and keeps what was sent."""

    def __init__(self) -> None:
        self.events: list[tuple[Event, QueuePlan | None]] = []

    async def emit(self, event: Event, *, delay_seconds: float = 0) -> None:
        self.events.append((event, None))

    async def send(self, event: Event, target: QueuePlan) -> None:
        self.events.append((event, target))


class Control:
    """Stands for the controls."""

    def paused(self) -> tuple[str, ...]:
        return ()


class Counted:
    """Stands for the broker's depths, and counts how often they were asked for."""

    def __init__(self) -> None:
        self.count = 0
        self.messages = 0

    def read(self) -> Depths:
        self.count += 1
        steps = {"makes": Depth(ready=self.messages, consumers=1)}
        return Depths(steps=steps, dead_letters=Depth(ready=0))

    def close(self) -> None:
        return


def sources_of(root: Path = Path(), **parts: Any) -> Sources:
    plan = compile_plan(prefix="motia", timezone="UTC", steps=STEPS)
    given: dict[str, Any] = {
        "settings": Settings(root=root, redis_url="redis://:secret@localhost/0"),
        "plan": plan,
        "publisher": Sent(),
        "state": MemoryState(),
        "streams": MemoryStreams(),
        "control": Control(),
        "depths": Counted(),
        "inspector": None,
        "ticks": None,
        **parts,
    }
    return Sources(**given)


@asynccontextmanager
async def serving(sources: Sources) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a real uvicorn with this Workbench."""
    bench = Workbench(sources.settings, lambda: sources)

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[dict[str, Callable[[], None]]]:
        await bench.start()
        yield {STOP: bench.stop}
        await bench.aclose()

    app = create_app(
        plan=Routed(),
        settings=sources.settings,
        invoke=Runs(),
        emit=never_emit,
        probes={},
        lifespan=lifespan,
        mounts=bench.mounts,
        is_dev=True,
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, http=Connection, log_config=None, timeout_graceful_shutdown=15)
        server = uvicorn.Server(config)
        running = asyncio.create_task(server._serve([listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        base = f"http://127.0.0.1:{listener.getsockname()[1]}/__workbench/api"
        try:
            async with httpx.AsyncClient(base_url=base, timeout=60) as client:
                yield client
        finally:
            server.should_exit = True
            await asyncio.wait_for(running, 60)
