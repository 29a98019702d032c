"""An app under test on real servers: a worker process of its own, under a name of its own.

What is awaited is known from the records of runs: each event that a run emitted starts a run with
a known id on each queue that hears it, so nothing is guessed from what queues hold.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, Final

from motia_celery.broker.dead_letters import DeadLetters
from motia_celery.broker.removal import remove_topology
from motia_celery.errors import UnsettledError
from motia_celery.model.cron import Cron
from motia_celery.model.dead_letter import DeadLetter, LetterFilter
from motia_celery.model.emit import EmitOptions
from motia_celery.model.event import Event, run_id
from motia_celery.model.record import RunRecord
from motia_celery.model.run import Outcome, Run
from motia_celery.model.trace import Trace
from motia_celery.plan.schedule import ScheduleEntry, tick_event
from motia_celery.plan.topology import QueuePlan
from motia_celery.run.app import App
from motia_celery.run.release import release
from motia_celery.settings import Settings, load_settings
from motia_celery.stores.embedded import EmbeddedServer
from motia_celery.stores.partitions import PartitionCounts
from motia_celery.stores.redis import connect_sync
from motia_celery.stores.removal import remove_keys
from motia_celery.stores.runs import Runs
from motia_celery.testing.result import entries_of
from motia_celery.testing.worker import WorkerProcess

_POLL_SECONDS: Final = 0.1
_PAGE: Final = 500
#: What counts before the project's own files: a test reads all that happened.
_WHOLE: Final = {"records": True, "record_successes": 1.0, "record_value_bytes": 1024 * 1024}


@dataclass(slots=True)
class _Awaited:
    """A run that is to come: from when on, and how many attempts it has at least."""

    due: float
    attempts: int = 1


class ServerApp(App):
    """The app of the test's own process; it notes what its requests begin."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.awaited: dict[str, _Awaited] = {}

    async def invoke(self, run: Run) -> Outcome:
        """Runs a handler once."""
        self.awaited[run.id] = _Awaited(0)
        return await super().invoke(run)

    async def emit(
        self, topic: str, data: Any, headers: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """Publishes an event that no Step emitted."""
        event = Event(topic=topic, data=data, trace=Trace.read(headers) or Trace.begin(headers))
        await self.send(event, EmitOptions())

    async def send(self, event: Event, options: EmitOptions) -> bool:
        """Emits an event, and awaits its runs."""
        sent = await self.services.emitter.emit(event, options)
        if sent:
            self.expect(event.topic, event.id, time.time() + options.delay_seconds)
        return sent

    def expect(self, topic: str, event_id: str, due: float) -> None:
        """Awaits the runs of an event."""
        for queue in self.plan.topology.subscribers(topic):
            run = run_id(event_id, queue.name)
            self.awaited.setdefault(run, _Awaited(due + queue.delay_seconds))


class OnServers:
    """Drives an app on real servers."""

    def __init__(
        self, root: Path, broker_url: str | None, redis_url: str | None, given: Mapping[str, Any]
    ) -> None:
        with ExitStack() as opened:
            redis_url = redis_url or _own_redis(opened)
            self._settings = {
                "environment": "test",
                "prefix": f"test-{secrets.token_hex(5)}",
                "soft_shutdown_seconds": 0,
                **given,
                **_WHOLE,
                # Both are given, so that no variable of production selects a server.
                "broker_url": broker_url or redis_url,
                "redis_url": redis_url,
            }
            self._root = root
            self.app = ServerApp(load_settings(root, **self._settings))
            self._finished: dict[str, int] = {}
            self._letters: set[str] = set()
            self._end = AsyncExitStack()
            self._end.push(opened.pop_all())
        self._end.push_async_callback(self.app.aclose)

    @property
    def now(self) -> datetime:
        """The time."""
        return datetime.now(UTC)

    async def start(self) -> None:
        """Declares the queues, and starts a worker."""
        settings = self.app.settings
        self._end.push_async_callback(asyncio.to_thread, self._remove)
        await asyncio.to_thread(release, settings, self.app.plan)
        self._runs = Runs(settings)
        self._end.callback(self._runs.close)
        self._dead = DeadLetters(settings, self.app.plan.topology.queues)
        self._worker = WorkerProcess(self._root, {**self._settings, "log_format": "json"})
        self._end.push_async_callback(asyncio.to_thread, self._worker.stop)
        await self._worker.ready()

    def _remove(self) -> None:
        settings = self.app.settings
        with connect_sync(settings) as client:
            partitions = PartitionCounts(client, settings.prefix).read()
        remove_topology(settings, self.app.plan.topology, partitions)
        remove_keys(settings)

    async def emit(self, event: Event, options: EmitOptions) -> bool:
        """Emits an event."""
        return await self.app.send(event, options)

    async def tick(self, step: str) -> None:
        """Starts a cron Step."""
        await self._send(Event(topic="", data=None), step)

    async def _send(self, event: Event, step: str) -> None:
        queue: QueuePlan = self.app.plan.topology.by_step[step]
        await self.app.publisher.send(event, queue)
        self.app.awaited.setdefault(run_id(event.id, queue.name), _Awaited(0))

    async def settle(self, timeout_seconds: float) -> None:
        """Returns once every run that is known of has ended, but for what is delayed."""
        deadline = time.monotonic() + timeout_seconds
        while waiting := await self._waiting():
            self._worker.require_alive()
            if time.monotonic() > deadline:
                raise UnsettledError(
                    f"after {timeout_seconds:g} s the app is not quiet: {len(waiting)} runs or "
                    f"dead letters have not come. The worker said:\n{self._worker.output[-4000:]}",
                    "StepTester",
                    "Look at its last lines; or give more time: StepTester(timeout_seconds=…).",
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def _waiting(self) -> list[str]:
        """What is due, and has not ended; the records are looked at anew."""
        awaited, now = self.app.awaited, time.time()
        due = [run for run, what in awaited.items() if what.due <= now]
        for record in await asyncio.to_thread(self._records, due):
            self._look_at(record)
        if self._letters:
            self._letters -= set(await asyncio.to_thread(self._dead.ids))
        waiting = [run for run, what in awaited.items() if what.due <= now]
        return [*waiting, *self._letters]

    def _records(self, ids: Iterable[str]) -> list[RunRecord]:
        found = (self._runs.get(id) for id in ids)
        return [record for record in found if record is not None]

    def _look_at(self, record: RunRecord) -> None:
        """Awaits no longer what has ended, but what it emitted."""
        summary = record.summary
        awaited = self.app.awaited[summary.id]
        if summary.status in ("running", "retrying") or len(record.attempts) < awaited.attempts:
            return
        del self.app.awaited[summary.id]
        self._finished[summary.id] = len(record.attempts)
        if summary.status == "failed" and summary.trigger != "http":
            self._letters.add(summary.id)
        for entry in entries_of(record, "emit"):
            told = entry.fields
            if told["ok"] and not self._is_known(told["topic"], told["id"]):
                due = entry.at_ms / 1000 + told.get("delay", 0)
                self.app.expect(told["topic"], told["id"], due)

    def _is_known(self, topic: str, event_id: str) -> bool:
        queues = self.app.plan.topology.subscribers(topic)
        return all(run_id(event_id, queue.name) in self._finished for queue in queues)

    async def advance(self, seconds: float, timeout_seconds: float) -> None:
        """Waits so long, fires the schedules meanwhile, and then for what is due."""
        start = self.now
        end = start.timestamp() + seconds
        for entry, slot in self._slots(start, end):
            await asyncio.sleep(max(0.0, slot.timestamp() - time.time()))
            await self._send(tick_event(self.app.settings.prefix, entry, slot), entry.step)
        await asyncio.sleep(max(0.0, end - time.time()))
        await self.settle(timeout_seconds)

    def _slots(self, start: datetime, end: float) -> list[tuple[ScheduleEntry, datetime]]:
        found = []
        for entry in self.app.plan.schedules:
            cron, slot = Cron(entry.expression, entry.timezone), start
            while (following := cron.upcoming(slot, 1)) and following[0].timestamp() <= end:
                slot = following[0]
                found.append((entry, slot))
        return sorted(found, key=lambda one: one[1])

    async def runs(self) -> Sequence[RunRecord]:
        """Every run, in the order in which they began."""
        return await asyncio.to_thread(self._all)

    def _all(self) -> list[RunRecord]:
        ids, cursor = [], None
        while True:
            page = self._runs.page(limit=_PAGE, cursor=cursor)
            ids += [run.id for run in page.runs]
            cursor = page.cursor
            if cursor is None:
                return sorted(self._records(ids), key=lambda record: record.summary.started_ms)

    async def dead_letters(self) -> Sequence[DeadLetter]:
        """The dead letters, the oldest first."""
        return await asyncio.to_thread(lambda: list(self._dead.each()))

    async def replay(self, letter: DeadLetter) -> None:
        """Sends a dead letter's event to its Step again."""
        self._again(letter.id)
        await asyncio.to_thread(self._dead.replay, LetterFilter(ids=frozenset({letter.id})))

    async def redeliver(self, run_id: str) -> None:
        """Delivers once more what started a run."""
        record = self._runs.get(run_id)
        assert record is not None
        summary = record.summary
        step = self.app.plan.step(summary.step)
        assert step is not None
        if not step.once:  # then there is no further attempt to wait for
            self._again(run_id)
        event = Event(
            topic=summary.topic or "",
            data=record.input,
            group=summary.group,
            id=summary.event_id or run_id,
        )
        queue = self.app.plan.topology.by_step[summary.step]
        await self.app.publisher.send(event, queue, run_id=run_id)

    def _again(self, run: str) -> None:
        """Awaits another attempt of a run that has ended."""
        self.app.awaited[run] = _Awaited(0, self._finished.pop(run, 0) + 1)

    async def aclose(self) -> None:
        """Stops the worker, and removes all that the app left on the servers."""
        await self._end.aclose()


def _own_redis(opened: ExitStack) -> str:
    """The URL of a Valkey that lasts as long as the test."""
    folder = opened.enter_context(TemporaryDirectory(prefix="motia-test-"))
    return opened.enter_context(EmbeddedServer(Path(folder))).url
