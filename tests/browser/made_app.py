"""An app that never ran, for looks at the Workbench's page: its Steps, runs and lines are made up.

What serves it is the Workbench itself, on a Redis of the test; only records and workers, which it
would take an app minutes to bring about, are what the test says.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from integration.apps import wait_until

from motia_celery.broker.depths import DepthReader
from motia_celery.broker.inspection import Worker
from motia_celery.broker.publisher import Publisher
from motia_celery.broker.ticks import TickReader
from motia_celery.model.event import Event, run_id
from motia_celery.model.problem import Problem
from motia_celery.model.run import Outcome, Run, RunError, Success
from motia_celery.model.step import Step, Stream
from motia_celery.plan import Plan, compile_plan
from motia_celery.run.connection import STOP, Connection
from motia_celery.run.control import Control
from motia_celery.run.web import create_app
from motia_celery.settings import Settings
from motia_celery.stores.redis import connect
from motia_celery.stores.state import RedisState
from motia_celery.stores.state_changes import state_changes
from motia_celery.stores.streams import RedisStreams
from motia_celery.workbench.serving import Workbench
from motia_celery.workbench.shapes.feed import LogMessage, RunMessage
from motia_celery.workbench.shapes.runs import (
    LogLine,
    Logs,
    LogsQuery,
    RunDetail,
    Runs,
    RunsQuery,
    RunStatus,
    RunView,
    Span,
    TraceView,
)
from motia_celery.workbench.sources import Sources

TOKEN = "t" * 32


@dataclass(frozen=True)
class Letter:
    """An event that died in a Step."""

    step: str
    topic: str
    data: Any
    error: RunError
    attempts: int = 1


@dataclass(frozen=True)
class Made:
    """Everything that there is to see; runs and lines are newest first."""

    steps: Sequence[Step] = ()
    streams: Sequence[Stream] = ()
    problems: Sequence[Problem] = ()
    runs: Sequence[RunDetail] = ()
    lines: Sequence[LogLine] = ()
    spans: Callable[[str], Sequence[Span]] = lambda _trace: ()
    workers: Sequence[Worker] = ()
    letters: Sequence[Letter] = ()
    paused: Sequence[str] = ()
    state: Sequence[tuple[str, str, Any]] = ()
    items: Sequence[tuple[str, str, str, dict[str, Any]]] = ()
    sources: dict[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def plan(self) -> Plan:
        return compile_plan(
            prefix="made",
            timezone="UTC",
            steps=self.steps,
            streams=self.streams,
            problems=self.problems,
        )


class MadeApp:
    """The app's Workbench at ``address``, and what can be made to happen in it."""

    def __init__(self, address: str, settings: Settings, made: Made, records: _Records) -> None:
        self.address = address
        self.folder = settings.project_root
        self.made = made
        self._settings = settings
        self._records = records
        guard = {"authorization": f"Bearer {TOKEN}"}
        self._api = httpx.Client(base_url=f"{address}/api", timeout=60, headers=guard)

    def tell(self, message: RunMessage | LogMessage) -> None:
        """Lets the feed tell it."""
        self._records.tell(message)

    def set_item(self, stream: str, group: str, id: str, data: dict[str, Any]) -> None:
        """Sets an item of a stream, as a Step does."""
        body = {"stream": stream, "group": group, "id": id, "data": data}
        self._put("/streams/item", body)

    def first_letter(self) -> str:
        """The id of a dead letter."""
        letters = self._api.get("/dead-letters").raise_for_status().json()["letters"]
        return str(letters[0]["id"])

    def fill(self) -> None:
        """Brings about what is kept in Redis."""
        for step in self.made.paused:
            self._api.post(f"/steps/{step}/pause").raise_for_status()
        for group, key, value in self.made.state:
            self._put("/state/value", {"group": group, "key": key, "value": value})
        for stream, group, id, data in self.made.items:
            self.set_item(stream, group, id, data)
        if self.made.letters:
            self._bury()

    def close(self) -> None:
        self._api.close()

    def _put(self, path: str, body: dict[str, Any]) -> None:
        self._api.put(path, json=body).raise_for_status()

    def _bury(self) -> None:
        topology = self.made.plan().topology
        publisher = Publisher(self._settings, topology)
        for letter in self.made.letters:
            queue = topology.by_step[letter.step]
            event = Event(topic=letter.topic, data=letter.data)
            run = run_id(event.id, queue.name)
            done = publisher.bury_soon(
                event, queue, letter.error, run_id=run, attempts=letter.attempts
            )
            done.result(60)
        publisher.close()


@contextmanager
def made_app(folder: Path, redis_url: str, made: Made) -> Iterator[MadeApp]:
    """The app while it is served, by a thread of this process."""
    for step in made.steps:
        file = folder / step.file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            made.sources.get(step.name, "async def handler(data, context):\n    pass\n")
        )
    for name, text in made.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    urls = {"broker_url": redis_url, "redis_url": redis_url}
    settings = Settings(root=folder, prefix="made", admin_token=TOKEN, **urls)
    records = _Records(made)
    workbench = Workbench(settings, lambda: _sources(settings, made, records))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = _server(settings, made, workbench)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            wait_until(lambda: server.started or not thread.is_alive(), "the server")
            app = MadeApp(f"http://127.0.0.1:{port}/__workbench", settings, made, records)
            app.fill()
            yield app
            app.close()
        finally:
            server.should_exit = True
            thread.join(60)


def _server(settings: Settings, made: Made, workbench: Workbench) -> uvicorn.Server:
    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[dict[str, Callable[[], None]]]:
        await workbench.start()
        yield {STOP: workbench.stop}
        await workbench.aclose()

    app = create_app(
        plan=made.plan(),
        settings=settings,
        invoke=_answer,
        emit=_hear,
        probes={},
        lifespan=lifespan,
        mounts=workbench.mounts,
    )
    options: dict[str, Any] = {"loop": "asyncio", "http": Connection, "log_config": None}
    return uvicorn.Server(uvicorn.Config(app, timeout_graceful_shutdown=10, **options))


async def _answer(_run: Run) -> Outcome:
    """Stands for the handlers of routes."""
    return Success({"status": 200, "body": {"taken": True}})


async def _hear(_topic: str, _data: Any, _headers: Any) -> None:
    return


def _sources(settings: Settings, made: Made, records: _Records) -> Sources:
    plan, store = made.plan(), connect(settings)
    parts: dict[str, Any] = {
        "inspector": _Workers(made.workers),
        "records": records,
    }
    return Sources(
        settings=settings,
        plan=plan,
        publisher=Publisher(settings, plan.topology),
        state=RedisState(store, settings.prefix),
        streams=RedisStreams(store, settings.prefix),
        control=Control(settings, plan),
        depths=DepthReader(settings, plan.topology),
        ticks=TickReader(settings),
        state_changes=lambda: state_changes(settings),
        **parts,
    )


class _Workers:
    """Stands for the workers that would answer."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._workers = tuple(workers)

    def workers(self) -> tuple[Worker, ...]:
        return self._workers


class _Records:
    """Stands for what would be kept of runs."""

    def __init__(self, made: Made) -> None:
        self._made = made
        self._views = [_view(run) for run in made.runs]
        self._told: asyncio.Queue[RunMessage | LogMessage | None] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None

    def tell(self, message: RunMessage | LogMessage) -> None:
        loop = wait_until(lambda: self._loop, "somebody who follows the records")
        loop.call_soon_threadsafe(self._told.put_nowait, message)

    async def runs(self, query: RunsQuery) -> Runs:
        found = [run for run in self._views if _fits(run, query)]
        start = int(query.cursor or 0)
        end = start + query.limit
        following = str(end) if end < len(found) else None
        return Runs(runs=tuple(found[start:end]), next=following, total=len(found))

    async def tally(self) -> Mapping[tuple[str, RunStatus], int]:
        return Counter((run.step, run.status) for run in self._views)

    async def run(self, run_id: str) -> RunDetail | None:
        return next((run for run in self._made.runs if run.id == run_id), None)

    async def trace(self, trace_id: str) -> TraceView | None:
        runs = tuple(run for run in reversed(self._made.runs) if run.trace_id == trace_id)
        if not runs:
            return None
        ends = [run.ended_at for run in runs]
        statuses = [run.status for run in runs]
        last = next((each for each in ("running", "failed") if each in statuses), "completed")
        return TraceView(
            id=trace_id,
            name=runs[0].step,
            status=last,  # type: ignore[arg-type]
            started_at=runs[0].queued_at or runs[0].started_at,
            ended_at=None if None in ends else max(end for end in ends if end),
            runs=runs,
            spans=tuple(self._made.spans(trace_id)),
        )

    async def logs(self, query: LogsQuery) -> Logs:
        lines = (line for line in self._made.lines if _is_wanted(line, query))
        return Logs(lines=tuple(line for line, _ in zip(lines, range(query.limit), strict=False)))

    async def clear(self) -> None:
        return

    async def changes(self) -> AsyncGenerator[RunMessage | LogMessage | None, None]:
        self._loop = asyncio.get_running_loop()
        while True:
            yield await self._told.get()

    def close(self) -> None:
        return


def _view(run: RunDetail) -> RunView:
    return RunView(**{name: getattr(run, name) for name in RunView.model_fields})


def _fits(run: RunView, query: RunsQuery) -> bool:
    error = f"{run.error.type}: {run.error.message}" if run.error else ""
    return (
        (not query.status or run.status in query.status)
        and (not query.step or run.step in query.step)
        and (not query.flow or bool({*query.flow} & {*run.flows}))
        and run.trace_id.startswith(query.trace)
        and query.text.lower() in error.lower()
    )


def _is_wanted(line: LogLine, query: LogsQuery) -> bool:
    return (
        (not query.level or line.level in query.level)
        and (not query.trace or line.trace_id == query.trace)
        and (not query.step or line.step in query.step)
        and query.text.lower() in line.message.lower()
    )
