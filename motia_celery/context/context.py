"""The context: the second argument of a handler, the only one of a cron handler."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Protocol

import orjson

from motia_celery.context.calls import Call, Calls
from motia_celery.context.celery import Celery, Tasks
from motia_celery.context.recorded import (
    note_changes,
    note_sent,
    noted,
    recorded_begin,
    recorded_state,
    recorded_streams,
)
from motia_celery.context.response import Reply, WrittenResponse
from motia_celery.context.state import BeginState, State, Values, Wrap
from motia_celery.context.streams import Items, Streams
from motia_celery.context.transaction import Transaction, emit_fields
from motia_celery.context.trigger import Triggered
from motia_celery.errors import ConfigError, FrameworkError, UndeclaredTopicError
from motia_celery.model.emit import EmitOptions, Moment
from motia_celery.model.event import Event, derived_id, emitted_id
from motia_celery.model.excerpt import compact
from motia_celery.model.run import Run
from motia_celery.model.step import Step
from motia_celery.model.told import Teller
from motia_celery.model.topic import topic_fault
from motia_celery.model.transaction import StateChange
from motia_celery.observe.logs import StepLogger
from motia_celery.observe.recording import Recording


class Begin(Protocol):
    """Begins an emit at once, where nothing has to be waited for before."""

    def __call__(
        self, event: Event, options: EmitOptions, timeout_seconds: float | None
    ) -> asyncio.Future[bool] | None:
        """The emit under way, or None where it takes an :meth:`Emitter.emit`."""


class Emitter(Protocol):
    """Publishes events; returns once the broker has confirmed, or the outbox has them."""

    async def emit(
        self, event: Event, options: EmitOptions, *, timeout_seconds: float | None = None
    ) -> bool:
        """Publishes the event to everyone who subscribed to its topic; False if it is dropped."""

    async def commit(
        self,
        changes: Sequence[StateChange],
        events: Sequence[tuple[Event, EmitOptions]],
        *,
        timeout_seconds: float | None = None,
    ) -> None:
        """Makes changes of state and stores events to be sent, all of it or nothing."""


def _in_memory() -> Items:
    # Only tests have none of their own; what it imports is much for a process to start with.
    from motia_celery.stores.memory_streams import MemoryStreams

    return MemoryStreams()


class ChangeEvents(Protocol):
    """Makes the events that changes of state and streams start."""

    def made_by(self, run: Run | None = None) -> Teller:
        """What tells of the changes that the run makes; without one, of those from outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the contexts of one process share. ``changes`` is None where nobody hears any."""

    emitter: Emitter
    state: Values
    begin: Begin | None = None
    begin_state: BeginState | None = None
    strict_emits: bool = False
    state_wrap: Wrap = "both"
    streams: Items = field(default_factory=_in_memory)
    stream_names: frozenset[str] = frozenset()
    tasks: Tasks | None = None
    changes: ChangeEvents | None = None
    clock: Callable[[], float] = time.time


class Context(Triggered):
    """What a handler may use: ``emit``, ``state``, ``streams``, ``logger``, ``celery``, its run's
    ids, and what started it.
    """

    #: The response, where the handler writes it.
    written: WrittenResponse | None = None

    def __init__(
        self, run: Run, step: Step, services: Services, recording: Recording | None = None
    ) -> None:
        self._run = run
        self._step = step
        self._services = services
        self._calls = Calls(asyncio.get_running_loop())
        self._emitted: dict[str, int] = {}
        self._recording = recording

    # Made when they are asked for: most runs use one or two of them.

    @cached_property
    def _teller(self) -> Teller | None:
        """What tells of the changes that the run makes; None where nobody hears any."""
        changes = self._services.changes
        return changes.made_by(self._run) if changes else None

    @cached_property
    def state(self) -> State:
        """The state that all Steps share."""
        values, begin = self._services.state, self._services.begin_state
        if self._teller is not None:
            values, begin = values.telling(self._teller), None
        values = recorded_state(values, self._recording)
        begin = recorded_begin(begin, self._recording)
        # Motia 1.0 has no wrapping: there `is None` tells that nothing is stored.
        wrap = "plain" if self._step.lists_triggers else self._services.state_wrap
        return State(values, self._calls, wrap, begin)

    @cached_property
    def streams(self) -> Streams:
        """The live streams, by name."""
        items = self._services.streams
        if self._teller is not None:
            items = items.telling(self._teller)
        items = recorded_streams(items, self._recording)
        return Streams(self._services.stream_names, items, self._calls)

    @cached_property
    def celery(self) -> Celery:
        """Other Celery apps on the same broker."""
        return Celery(self._run, self._step.file, self._services.tasks, self._calls)

    @cached_property
    def logger(self) -> StepLogger:
        """Logs lines that tell of what run they are."""
        run = self._run
        fields = {
            "step": run.step,
            "run_id": run.id,
            "trace_id": run.trace.trace_id,
            "attempt": run.attempt,
            "flows": list(run.flows),
        }
        return StepLogger(fields, self._recording)

    @property
    def trace_id(self) -> str:
        """The W3C trace id that every run from the same cause shares."""
        return self._run.trace.trace_id

    traceId = trace_id  # noqa: N815 - Motia's name

    @property
    def run_id(self) -> str:
        """The id of this run; the same on every attempt and redelivery."""
        return self._run.id

    @property
    def attempt(self) -> int:
        """Which try of the run this is, from 1."""
        return self._run.attempt

    @property
    def max_attempts(self) -> int:
        """How many tries the run has before its event is a dead letter."""
        return self._run.max_attempts

    @property
    def flows(self) -> list[str]:
        """The flows of the Step."""
        return list(self._run.flows)

    @property
    def topic(self) -> str | None:
        """The topic of the event that started the run."""
        return self._run.topic if self._run.trigger == "event" else None

    def emit(
        self,
        event: Mapping[str, Any] | None = None,
        *,
        topic: str | None = None,
        data: Any = None,
        message_group_id: str | None = None,
        delay: float | None = None,
        at: Moment | None = None,
        priority: int | None = None,
        id: str | None = None,
        outbox: bool | None = None,
    ) -> Call[bool]:
        """Publishes an event, given as Motia's dict or as keywords; True once it is sent.

        Once awaited, the broker has confirmed it. A topic that the Step's ``emits`` does not
        list is dropped with a warning, and gives False; a Step of Motia 1.0's style sends it.

        With ``delay`` (seconds) or ``at`` (a datetime, ISO text, or epoch milliseconds) the event
        is kept by the broker until then, for 30 days at most. Of a queue's events those with a
        ``priority`` from 5 to 9 are delivered first. ``id`` is an idempotency key: an event of
        this topic that was sent with it before is not sent again, and gives False. With
        ``outbox`` the event is stored first, and sent even if the broker is away for now.

        Raises:
            ConfigError: the topic is missing or can not be one, or an option can not be used.
            UndeclaredTopicError: the topic is not listed, and the ``strict_emits`` setting is on.
            EmitError: the broker did not confirm in time.
        """
        given = emit_fields(
            event,
            topic=topic,
            data=data,
            messageGroupId=message_group_id,
            delay=delay,
            at=at,
            priority=priority,
            id=id,
            outbox=outbox,
        )
        begin = self._services.begin
        if begin is not None and self._calls.are_here():
            return self._begun(begin, given)
        return self._calls.start(self._emit(given))

    enqueue = emit

    def transaction(self) -> Transaction:
        """Changes of state, and events, that are stored together or not at all.

        ``async with context.transaction() as tx:`` (``with`` in a ``def`` handler) collects
        ``tx.state.set``, ``tx.state.delete`` and ``tx.emit``, and stores them at its end in one
        step; an error inside drops them. The events are sent soon after, in their order, even if
        the broker is away at the moment or this process dies.
        """
        return Transaction(self._prepared, lambda tx: self._calls.start(self._commit(tx)))

    async def _commit(self, transaction: Transaction) -> None:
        changes = transaction.state.changes
        if self._teller is not None:
            changes = [replace(c, told=self._teller.of_state(c.group)) for c in changes]
        with noted(self._recording, *transaction.events):
            await self._services.emitter.commit(
                changes, transaction.events, timeout_seconds=self._patience
            )
        note_changes(self._recording, transaction.state.changes)

    def _begun(self, begin: Begin, given: Mapping[str, Any]) -> Call[bool]:
        """The emit; without a task where it can be sent at once, which costs half as much."""
        try:
            prepared = self._prepared(given)
        except FrameworkError as error:
            return self._calls.start(_raised(error))
        if prepared is None:
            return self._calls.start(_dropped())
        try:
            sent = begin(*prepared, self._patience)
        except FrameworkError:
            sent = None  # the long way tells it
        if sent is None:
            return self._calls.start(self._sent(*prepared))
        if self._recording is not None:
            sent.add_done_callback(partial(note_sent, self._recording, prepared[0]))
        return self._calls.follow(sent)

    async def _emit(self, given: Mapping[str, Any]) -> bool:
        prepared = self._prepared(given)
        return False if prepared is None else await self._sent(*prepared)

    async def _sent(self, event: Event, options: EmitOptions) -> bool:
        with noted(self._recording, (event, options)) as sent:
            return sent(
                await self._services.emitter.emit(event, options, timeout_seconds=self._patience)
            )

    def _prepared(self, given: Mapping[str, Any]) -> tuple[Event, EmitOptions] | None:
        """The event that an emit asks for; None where its topic is not declared."""
        topic = given.get("topic")
        fault = topic_fault(topic) if isinstance(topic, str) else "an emit needs a topic, as text"
        if topic is None or fault:
            fix = "Write context.emit({'topic': …, 'data': …})."
            raise ConfigError(f"{fault}.", self._step.file, fix)
        if not self._step.may_emit(topic) and not self._lets_through(topic):
            return None
        options = self._options(given, topic)
        data = given.get("data")
        body = _encoded(data)
        event = Event(
            topic=topic,
            data=data,
            encoded=body,
            id=self._event_id(topic, body or b""),
            trace=self._run.trace,
            root_id=self._run.root_id or self._run.id,
            parent_id=self._run.id,
            group=given.get("messageGroupId"),
            priority=options.priority,
            depth=self._run.depth,
        )
        return event, options

    @cached_property
    def _patience(self) -> float | None:
        """How long an emit waits for the broker: in a worker, for as long as its run may take.

        Its client waits for a request; a run would only be made again.
        """
        if self._run.trigger == "http":
            return None
        return self._step.timeout_seconds or self._step.queue.visibility_timeout_seconds

    def _options(self, given: Mapping[str, Any], topic: str) -> EmitOptions:
        try:
            return EmitOptions.read(given, self._services.clock())
        except ValueError as error:
            raise ConfigError(
                f"{error}.", self._step.file, f"Correct the emit of {topic!r}."
            ) from None

    def _event_id(self, topic: str, body: bytes) -> str:
        """The same on every attempt and redelivery of the run, for the same data."""
        first = emitted_id(self._run.id, topic, body)
        number = self._emitted[first] = self._emitted.get(first, 0) + 1
        return first if number == 1 else derived_id(first, str(number))

    def _lets_through(self, topic: str) -> bool:
        """Whether an event of a topic that is not listed is sent all the same, as by Motia 1.0."""
        sends = self._step.lists_triggers and not self._services.strict_emits
        listed = "enqueues" if self._step.lists_triggers else "emits"
        what = f"{self._step.name!r} does not list {topic!r} in its {listed}"
        fix = f"Add {topic!r} to {listed}."
        if self._recording is not None and not sends:
            self._recording.refused(topic)
        if self._services.strict_emits:
            raise UndeclaredTopicError(f"{what}.", self._step.file, fix)
        self.logger.warn(f"{'Sent' if sends else 'Dropped'} an emit: {what}. {fix}")
        return sends

    @property
    def reply(self) -> Reply | None:
        """Where a response that the handler writes itself goes."""
        return getattr(self._run.input, "reply", None) if self._run.trigger == "http" else None

    def response_to(self, reply: Reply) -> WrittenResponse:
        """The response of the run, for the handler to write."""
        if self.written is None:
            self.written = WrittenResponse(reply, self._calls)
        return self.written

    async def finish(self) -> None:
        """Waits for the calls that the handler left behind; see :meth:`Calls.finish`."""
        if self._calls:
            await self._calls.finish()

    async def settle(self) -> None:
        """Waits for the calls of a run that has failed anyway; their errors are dropped."""
        await self._calls.settle()

    def cancel(self) -> None:
        """Stops the calls of a run that was cut short."""
        self._calls.cancel()


def _encoded(data: Any) -> bytes | None:
    try:
        return compact(orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS))
    except TypeError:
        return None  # the emit will refuse it


async def _raised(error: FrameworkError) -> bool:
    raise error


async def _dropped() -> bool:
    return False
