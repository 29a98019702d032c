"""Emitting in memory: what is dropped, refused or stored before an event is delivered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from motia_celery.broker import wire
from motia_celery.model.emit import EmitOptions
from motia_celery.model.event import Event
from motia_celery.model.told import Told
from motia_celery.model.transaction import StateChange
from motia_celery.plan.inputs import Inputs
from motia_celery.plan.topology import Topology
from motia_celery.settings import Settings
from motia_celery.stores.memory_state import MemoryState
from motia_celery.stores.names import state_place
from motia_celery.stores.values import encode
from motia_celery.testing.clock import Clock

#: Delivers an event after so many seconds.
Publish = Callable[[Event, float], None]


@dataclass(frozen=True, slots=True)
class _OfChange:
    """Tells what the change of a transaction is to tell."""

    change: StateChange

    def of_state(self, group: str) -> Told | None:
        """What is told of it."""
        return self.change.told

    def of_stream(self, stream: str, group: str) -> Told | None:
        """Nothing: transactions change no streams."""
        return None


class MemoryEmitter:
    """Emits for the handlers of an app in memory, by the rules of the broker's emitter."""

    def __init__(
        self,
        settings: Settings,
        inputs: Inputs,
        topology: Topology,
        state: MemoryState,
        clock: Clock,
        publish: Publish,
    ) -> None:
        self._settings = settings
        self._inputs = inputs
        self._topology = topology
        self._state = state
        self._clock = clock
        self._publish = publish
        self._sent_until: dict[tuple[str, str], float] = {}

    async def emit(
        self, event: Event, options: EmitOptions, *, timeout_seconds: float | None = None
    ) -> bool:
        """Delivers the event to everyone who subscribed; False if its key was emitted before.

        Raises:
            EventDataError: the data is not JSON, or too large.
            SchemaMismatchError: it fits no Step that hears it, and is to be refused then.
        """
        self._check(event)
        return self._send(event, options)

    async def commit(
        self,
        changes: Sequence[StateChange],
        events: Sequence[tuple[Event, EmitOptions]],
        *,
        timeout_seconds: float | None = None,
    ) -> None:
        """Makes the changes and delivers the events, all of it or nothing."""
        for event, _ in events:
            self._check(event)
        for change in changes:
            encode(change.value, state_place(change.group, change.key))
        for change in changes:
            state = self._state.telling(_OfChange(change))
            await state.set(change.group, change.key, change.value, ttl_seconds=change.ttl_seconds)
        for event, options in events:
            self._send(event, options)

    def _check(self, event: Event) -> None:
        body = wire.event_body(event, self._settings.event_limit_bytes)
        hearing = [queue.step for queue in self._topology.subscribers(event.topic)]
        if self._inputs.may_refuse(hearing):
            self._inputs.check(event.topic, orjson.loads(body), hearing)

    def _send(self, event: Event, options: EmitOptions) -> bool:
        if options.key is not None and not self._is_first(event.topic, options.key):
            return False
        self._publish(event, options.delay_seconds)
        return True

    def _is_first(self, topic: str, key: str) -> bool:
        now = self._clock.time()
        if self._sent_until.get((topic, key), 0) > now:
            return False
        self._sent_until[topic, key] = now + self._settings.emit_dedupe_seconds
        return True
