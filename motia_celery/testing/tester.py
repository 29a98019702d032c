"""A whole app under test: emit, wait until it is quiet, move its clock, and read what it did."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from motia_celery.errors import ConfigError, NotFoundError
from motia_celery.model.dead_letter import DeadLetter
from motia_celery.model.emit import EmitOptions
from motia_celery.model.event import Event
from motia_celery.model.record import RunRecord, Status
from motia_celery.observe.logs import keeping_lines
from motia_celery.plan import Plan
from motia_celery.run.app import App
from motia_celery.runtime.modules import load_module
from motia_celery.settings import load_settings
from motia_celery.stores.state import StateStore
from motia_celery.stores.streams import StreamStore
from motia_celery.testing.memory import InMemory, moment
from motia_celery.testing.result import Emitted, Logged, RunResult, emitted, entries_of, logged
from motia_celery.testing.stream_client import StreamClient
from motia_celery.testing.web import Web

if TYPE_CHECKING:
    import httpx

#: Where tests find servers; not the variables of production, so that no test reaches those.
BROKER_VARIABLE = "MOTIA_TEST_BROKER_URL"
REDIS_VARIABLE = "MOTIA_TEST_REDIS_URL"

MEMORY_TIMEOUT_SECONDS = 30.0
SERVERS_TIMEOUT_SECONDS = 120.0


class Backend(Protocol):
    """Where the app under test runs."""

    app: Any

    @property
    def now(self) -> datetime:
        """The moment that its delays and schedules go by."""

    async def start(self) -> None:
        """Returns once it takes events."""

    async def emit(self, event: Event, options: EmitOptions) -> bool:
        """Emits an event."""

    async def tick(self, step: str) -> None:
        """Starts a cron Step."""

    async def settle(self, timeout_seconds: float) -> None:
        """Returns once nothing runs and no retry waits."""

    async def advance(self, seconds: float, timeout_seconds: float) -> None:
        """Lets time go by."""

    async def runs(self) -> Any:
        """Every run."""

    async def dead_letters(self) -> Any:
        """The dead letters."""

    async def replay(self, letter: DeadLetter) -> None:
        """Sends a dead letter's event to its Step again."""

    async def redeliver(self, run_id: str) -> None:
        """Delivers once more what started a run."""

    async def aclose(self) -> None:
        """Ends and removes everything."""


class StepTester:
    """The app of a project, for tests: ``async with StepTester() as app:``.

    ``root`` is the project's folder; without it that of ``MOTIA_ROOT``, or the current one. Other
    keywords are settings; those of the environment ``test`` (``config/test.toml``) count too.
    Without ``broker_url`` and ``redis_url`` (or ``MOTIA_TEST_BROKER_URL`` and
    ``MOTIA_TEST_REDIS_URL``) everything is in memory, and ``now`` is where its clock begins.
    """

    def __init__(
        self,
        root: str | Path | None = None,
        *,
        broker_url: str | None = None,
        redis_url: str | None = None,
        now: datetime | None = None,
        timeout_seconds: float | None = None,
        **settings: Any,
    ) -> None:
        self._root = Path(root or os.environ.get("MOTIA_ROOT") or ".").resolve()
        self._broker_url = broker_url or os.environ.get(BROKER_VARIABLE)
        self._redis_url = redis_url or os.environ.get(REDIS_VARIABLE)
        self._now = moment(now)
        self._given = settings
        default = SERVERS_TIMEOUT_SECONDS if self.on_servers else MEMORY_TIMEOUT_SECONDS
        self._timeout = timeout_seconds or default
        self._backend: Backend | None = None
        self._web: Web | None = None
        self._reported: set[str] = set()
        self._end = AsyncExitStack()

    @property
    def on_servers(self) -> bool:
        """Whether the app runs on real servers."""
        return bool(self._broker_url or self._redis_url)

    async def __aenter__(self) -> Self:
        if self._backend is not None:
            raise ConfigError("this tester is in use already.", "StepTester", "Make another one.")
        async with AsyncExitStack() as stack:
            backend = self._open()
            stack.push_async_callback(backend.aclose)
            stack.enter_context(keeping_lines(backend.app.settings.log_level))
            _require_usable(backend.app.plan)
            await backend.start()
            self._end = stack.pop_all()
        self._backend = backend
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self._backend = None
        self._reported.clear()
        self._web = None
        await self._end.aclose()

    def _open(self) -> Backend:
        if self.on_servers:
            from motia_celery.testing.servers import OnServers

            return OnServers(self._root, self._broker_url, self._redis_url, self._given)
        # A developer's own variables must not select servers.
        settings = load_settings(self._root, environment="test", **self._given)
        alone = {"broker_url": None, "redis_url": None, "records": True, "record_successes": 1.0}
        memory: Backend = InMemory(settings.model_copy(update=alone), self._now)
        return memory

    @property
    def _started(self) -> Backend:
        if self._backend is None:
            raise ConfigError(
                "the tester has not been started.",
                "StepTester",
                "Write `async with tester as app:`.",
            )
        return self._backend

    # What happens

    async def emit(
        self,
        topic: str,
        data: Any = None,
        *,
        delay: float | None = None,
        group: str | None = None,
        priority: int | None = None,
        id: str | None = None,
    ) -> bool:
        """Emits an event, as a Step would; False if ``id`` was emitted before.

        Raises:
            ConfigError: an option can not be used.
            EventDataError: the data has no JSON form.
        """
        given = {"delay": delay, "priority": priority, "id": id}
        try:
            options = EmitOptions.read(given, self.now.timestamp())
        except ValueError as error:
            raise ConfigError(f"{error}.", f"emit {topic!r}", "Correct the option.") from None
        event = Event(topic=topic, data=data, group=group, priority=options.priority)
        return await self._started.emit(event, options)

    @property
    def client(self) -> httpx.AsyncClient:
        """An HTTP client of the app's routes: ``await app.client.post("/orders", json={…})``.

        Raises:
            SettingsError: httpx is not installed.
        """
        return self._open_web().client

    def join(
        self,
        stream: str,
        group: str,
        id: str | None = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> StreamClient:
        """A client that follows a group of a stream, or one item: ``async with app.join(…) as
        client:``. Access rules and ``streamAuth`` are asked, the latter with the token.

        Raises:
            StreamRefusedError: on entering, where they refuse it, or there is no such stream.
        """
        place = {"streamName": stream, "groupId": group} | ({} if id is None else {"id": id})
        web = self._open_web().asgi
        return StreamClient(web, place, token, headers, timeout_seconds=self._timeout)

    def _open_web(self) -> Web:
        if self._web is None:
            self._web = Web(self._started.app)
            self._end.push_async_callback(self._web.aclose)
        return self._web

    async def tick(self, step: str) -> None:
        """Starts a cron Step now, whatever its schedule is."""
        if self._step(step).crons:
            await self._started.tick(step)
            return
        raise NotFoundError(f"the Step {step!r} has no cron trigger.", "StepTester.tick")

    # Time

    @property
    def now(self) -> datetime:
        """The moment that delays and schedules go by; in memory only :meth:`advance` moves it."""
        return self._started.now

    async def settle(self) -> list[RunResult]:
        """Returns once nothing runs, retries included; gives the runs that ended since the last
        time.

        Events that are delayed wait for :meth:`advance`, as schedules do.

        Raises:
            UnsettledError: the app does not come to rest in time.
        """
        await self._started.settle(self._timeout)
        ended = [run for run in await self.runs() if run.status not in ("running", "retrying")]
        new = [run for run in ended if run.id not in self._reported]
        self._reported.update(run.id for run in new)
        return new

    async def advance(self, span: float | timedelta) -> None:
        """Lets seconds, or a timedelta, go by: what is delayed till then happens, and crons fire.

        In memory that takes no time; on real servers it takes the whole.
        """
        seconds = span.total_seconds() if isinstance(span, timedelta) else span
        await self._started.advance(seconds, self._timeout)

    # What became of it

    async def runs(self, step: str | None = None, status: Status | None = None) -> list[RunResult]:
        """The runs, in the order in which they began; of one Step, or that ended in one way."""
        if step is not None:
            self._step(step)
        return [
            RunResult(record)
            for record in await self._records()
            if step in (None, record.summary.step) and status in (None, record.summary.status)
        ]

    async def run(self, step: str) -> RunResult:
        """The only run of a Step.

        Raises:
            NotFoundError: it has none, or several.
        """
        found = await self.runs(step)
        if len(found) != 1:
            raise NotFoundError(f"the Step {step!r} has {len(found)} runs, not one.", "StepTester")
        return found[0]

    async def emits(self, topic: str | None = None) -> list[Emitted]:
        """The events that Steps emitted and that were sent, in their order; of one topic."""
        found = [
            emitted(entry, record.summary.step, record.summary.id)
            for entry, record in await self._entries("emit")
        ]
        return [one for one in found if one.sent and topic in (None, one.topic)]

    async def logs(self, level: str | None = None) -> list[Logged]:
        """The lines that Steps logged, in their order; of one level."""
        found = [
            logged(entry, record.summary.step, record.summary.id)
            for entry, record in await self._entries("log")
        ]
        return [one for one in found if level in (None, one.level)]

    async def dead_letters(self, step: str | None = None) -> list[DeadLetter]:
        """The dead letters, the oldest first; of one Step."""
        letters = await self._started.dead_letters()
        return [letter for letter in letters if step in (None, letter.step)]

    async def replay(self, letter: DeadLetter) -> None:
        """Sends a dead letter's event to its Step again, as the same run."""
        await self._started.replay(letter)

    async def redeliver(self, run: RunResult) -> None:
        """Delivers once more what started a run, as a broker may do: a Step should bear it."""
        await self._started.redeliver(run.id)

    @property
    def state(self) -> StateStore:
        """The state: ``await app.state.get(group, key)``, ``set``, ``get_group`` and the others."""
        state: StateStore = self._started.app.state
        return state

    @property
    def streams(self) -> StreamStore:
        """The streams: ``await app.streams.get(stream, group, id)`` and the others."""
        streams: StreamStore = self._started.app.streams
        return streams

    async def may_join(
        self, stream: str, subscription: Mapping[str, Any], auth_context: Any = None
    ) -> bool:
        """Whether the stream's ``canAccess`` or ``onJoin`` lets a client join."""
        app: App = self._started.app
        return await app.access.allows(stream, subscription, auth_context)

    @property
    def plan(self) -> Plan:
        """What the project's files compile to."""
        plan: Plan = self._started.app.plan
        return plan

    def module(self, step: str) -> ModuleType:
        """The module of a Python Step, whose names a test may replace.

        Raises:
            NotFoundError: there is no such Step, or it is not written in Python.
        """
        found = self._step(step)
        if found.language != "python":
            raise NotFoundError(f"the Step {step!r} is not written in Python.", found.file)
        return load_module(self._root, self._root / found.file)

    def _step(self, name: str) -> Any:
        step = self.plan.step(name)
        if step is None:
            names = ", ".join(sorted(step.name for step in self.plan.steps))
            raise NotFoundError(f"there is no Step {name!r}.", "StepTester", f"There are: {names}.")
        return step

    async def _records(self) -> list[RunRecord]:
        return list(await self._started.runs())

    async def _entries(self, kind: Any) -> list[Any]:
        found = [
            (entry, record)
            for record in await self._records()
            for entry in entries_of(record, kind)
        ]
        return sorted(found, key=lambda one: one[0].at_ms)


def _require_usable(plan: Plan) -> None:
    """Raises for files that can not run: a test must not pass because a Step is missing."""
    faults = [problem for problem in plan.problems if problem.severity == "error"]
    if faults:
        told = "; ".join(f"{fault.place or 'project'}: {fault.what}" for fault in faults)
        raise ConfigError(f"the project has errors: {told}.", "StepTester", faults[0].fix)
