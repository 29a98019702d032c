"""A whole app in memory: its own Steps, routes and rules, and stores that a test can look into."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from motia_celery.broker.changes import change_event
from motia_celery.context import Services
from motia_celery.errors import UnsettledError
from motia_celery.model.cron import Cron
from motia_celery.model.dead_letter import DeadLetter
from motia_celery.model.emit import EmitOptions
from motia_celery.model.event import Event
from motia_celery.model.record import RunRecord
from motia_celery.model.run import Outcome, Run
from motia_celery.model.told import Target
from motia_celery.model.trace import Trace
from motia_celery.plan.inputs import Inputs
from motia_celery.plan.schedule import ScheduleEntry, tick_event
from motia_celery.run.app import App
from motia_celery.settings import Settings
from motia_celery.stores.memory_state import MemoryState
from motia_celery.stores.memory_streams import MemoryStreams
from motia_celery.testing.clock import Clock
from motia_celery.testing.emitter import MemoryEmitter
from motia_celery.testing.queues import MemoryQueues
from motia_celery.testing.recordings import Recordings


class MemoryApp(App):
    """An app whose broker and stores are in this process. It connects to nothing."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        super().__init__(settings)
        self.clock = clock
        self.recordings = Recordings()
        self._state = MemoryState(clock.time, self._start)
        self._streams = MemoryStreams(start=self._start)
        self.queues = MemoryQueues(
            self.plan, self.invoke, self.recordings, clock, settings.concurrency
        )
        inputs = Inputs(self.plan.steps, settings.event_schema)
        self._services = Services(
            emitter=MemoryEmitter(
                settings, inputs, self.plan.topology, self._state, clock, self.queues.publish
            ),
            state=self._state,
            strict_emits=settings.strict_emits,
            state_wrap=settings.state_wrap,
            streams=self._streams,
            stream_names=frozenset(stream.name for stream in self.plan.streams),
            clock=clock.time,
            changes=self.change_events(),
        )
        self._invoker = self.invoker(self._services, inputs, self.recordings)

    @property
    def services(self) -> Services:
        """What the contexts of this process share."""
        return self._services

    @property
    def state(self) -> MemoryState:  # type: ignore[override]
        """The state."""
        changes = self._services.changes
        return self._state.telling(changes.made_by()) if changes else self._state

    @property
    def streams(self) -> MemoryStreams:  # type: ignore[override]
        """The streams' items and changes."""
        changes = self._services.changes
        return self._streams.telling(changes.made_by()) if changes else self._streams

    def _start(self, target: Target, line: str, body: bytes) -> None:
        """Delivers the event of a change to the Step that hears it."""
        event, queue = change_event(target, body)
        self.queues.send(event, next(q for q in self.plan.topology.queues if q.name == queue))

    async def invoke(self, run: Run) -> Outcome:
        """Runs a handler once."""
        return await self._invoker.invoke(run)

    async def emit(
        self, topic: str, data: Any, headers: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """Delivers an event that no Step emitted."""
        event = Event(topic=topic, data=data, trace=Trace.read(headers) or Trace.begin(headers))
        await self._services.emitter.emit(event, EmitOptions())


class InMemory:
    """Drives an app in memory."""

    def __init__(self, settings: Settings, start: datetime | None) -> None:
        self.app = MemoryApp(settings, Clock(start))
        self._queues = self.app.queues

    @property
    def now(self) -> datetime:
        """The moment on the clock that :meth:`advance` moves."""
        return self.app.clock.now

    async def start(self) -> None:
        """Nothing is to be started."""

    async def emit(self, event: Event, options: EmitOptions) -> bool:
        """Delivers an event."""
        return await self.app.services.emitter.emit(event, options)

    async def tick(self, step: str) -> None:
        """Starts a cron Step."""
        self._queues.send(Event(topic="", data=None), self.app.plan.topology.by_step[step])

    async def settle(self, timeout_seconds: float) -> None:
        """Returns once nothing runs and no retry waits."""
        await self._within(timeout_seconds, self._queues.settle)

    async def advance(self, seconds: float, timeout_seconds: float) -> None:
        """Does what is due until then, each at its moment."""
        target = self.app.clock.time() + seconds

        async def moved() -> None:
            await self._queues.quiet()
            while (due := self._next_due()) <= target:
                self._move_to(due)
                await self._queues.quiet()
            self.app.clock.move_to(target)

        await self._within(timeout_seconds, moved)

    def _next_due(self) -> float:
        due = [slot.timestamp() for _, slot in self._next_slots()]
        waiting = self._queues.next_due()
        return min([*due, *([] if waiting is None else [waiting])], default=float("inf"))

    def _next_slots(self) -> Sequence[tuple[ScheduleEntry, datetime]]:
        found = []
        for entry in self.app.plan.schedules:
            for slot in Cron(entry.expression, entry.timezone).upcoming(self.now, 1):
                found.append((entry, slot))
        return found

    def _move_to(self, moment: float) -> None:
        slots = self._next_slots()
        self.app.clock.move_to(moment)
        for entry, slot in slots:
            if slot.timestamp() <= moment:
                tick = tick_event(self.app.settings.prefix, entry, slot)
                self._queues.send(tick, self.app.plan.topology.by_step[entry.step])

    async def _within(self, seconds: float, work: Any) -> None:
        try:
            async with asyncio.timeout(seconds):
                await work()
        except TimeoutError:
            names = ", ".join(self._queues.running)
            raise UnsettledError(
                f"after {seconds:g} s the app is not quiet: {names} still runs.",
                "StepTester",
                "Look for a handler that waits for what never comes, or a Step that emits to "
                "itself; or give more time: StepTester(timeout_seconds=…).",
            ) from None

    async def runs(self) -> Sequence[RunRecord]:
        """Every run, in the order in which they began."""
        return self.app.recordings.records()

    async def dead_letters(self) -> Sequence[DeadLetter]:
        """The dead letters, the oldest first."""
        return list(self._queues.dead_letters)

    async def replay(self, letter: DeadLetter) -> None:
        """Sends a dead letter's event to its Step again."""
        self._queues.replay(letter)

    async def redeliver(self, run_id: str) -> None:
        """Delivers once more what started a run."""
        self._queues.redeliver(run_id)

    async def aclose(self) -> None:
        """Cuts what runs, and ends the processes of other languages."""
        await self._queues.aclose()
        await self.app.aclose()


def moment(start: datetime | None) -> datetime | None:
    """The start as an aware datetime; one without a zone is taken for UTC."""
    return start if start is None or start.tzinfo else start.replace(tzinfo=UTC)
