"""Emitting for handlers: what is dropped, refused or kept before an event is published."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace

import orjson

from motia_celery.broker import wire
from motia_celery.broker.outbox_relay import outbox_entry
from motia_celery.broker.publisher import Publisher
from motia_celery.errors import EmitError, StoreUnavailableError
from motia_celery.model.emit import EmitOptions
from motia_celery.model.event import Event
from motia_celery.model.transaction import StateChange
from motia_celery.plan.inputs import Inputs
from motia_celery.plan.topology import Topology
from motia_celery.settings import Settings
from motia_celery.stores.emitted import Claim, EmittedKeys
from motia_celery.stores.outbox import Entry, Outbox

logger = logging.getLogger("motia_celery.broker")

#: How long a key stays with a process that died while it sent.
LEASE_SECONDS = 10.0
_POLL_SECONDS = 0.1


class Emitter:
    """Emits for the handlers of one process, on one event loop."""

    def __init__(
        self,
        settings: Settings,
        publisher: Publisher,
        keys: EmittedKeys,
        outbox: Outbox,
        inputs: Inputs,
        topology: Topology,
    ) -> None:
        self._settings = settings
        self._publisher = publisher
        self._keys = keys
        self._outbox = outbox
        self._inputs = inputs
        self._topology = topology

    async def emit(
        self, event: Event, options: EmitOptions, *, timeout_seconds: float | None = None
    ) -> bool:
        """Publishes an event; False if one with its idempotency key was published before.

        Raises:
            EmitError: it was not confirmed within ``timeout_seconds``, by default the
                ``emit_timeout_seconds`` setting.
            SchemaMismatchError: it fits no Step that hears it, and is to be refused then.
            StoreUnavailableError: Redis, which knows the keys, does not answer.
        """
        self._check(event)
        seconds = timeout_seconds or self._settings.emit_timeout_seconds
        if options.key is None:
            await self._send(event, options, seconds)
            return True
        async with self._claimed(event, options, seconds) as named:
            if named is None:
                return False
            await self._send(named, options, seconds)
        return True

    def begin(
        self, event: Event, options: EmitOptions, timeout_seconds: float | None = None
    ) -> asyncio.Future[bool] | None:
        """:meth:`emit`, sent before this returns; None where something has to be waited for.

        Raises:
            EventDataError: the data can not be sent.
        """
        if options.key is not None or options.outbox or options.delay_seconds:
            return None
        if self._inputs.refuses and self._inputs.may_refuse(self._hearing(event)):
            return None
        return self._publisher.begin(event, timeout_seconds)

    async def commit(
        self,
        changes: Sequence[StateChange],
        events: Sequence[tuple[Event, EmitOptions]],
        *,
        timeout_seconds: float | None = None,
    ) -> None:
        """Makes changes of state and stores events to be sent, all of it or nothing.

        An event whose idempotency key was emitted before is left out.

        Raises:
            SchemaMismatchError: an event fits no Step that hears it, and is to be refused then.
            StateValueError: a value has no JSON form.
            StoreUnavailableError: Redis does not answer.
        """
        seconds = timeout_seconds or self._settings.emit_timeout_seconds
        for event, _ in events:
            self._check(event)
        async with AsyncExitStack() as stack:
            entries = []
            for event, options in events:
                named = await stack.enter_async_context(self._claimed(event, options, seconds))
                if named is not None:
                    entries.append(self._entry(named, options))
            await self._outbox.write(changes, entries)

    def _check(self, event: Event) -> None:
        hearing = self._hearing(event)
        if self._inputs.may_refuse(hearing):
            # What is compared is what will arrive.
            body = wire.event_body(event, self._settings.event_limit_bytes)
            self._inputs.check(event.topic, orjson.loads(body), hearing)

    def _hearing(self, event: Event) -> list[str]:
        return [queue.step for queue in self._topology.subscribers(event.topic)]

    def _entry(self, event: Event, options: EmitOptions) -> Entry:
        message = self._publisher.message(event, options.delay_seconds)
        return outbox_entry(message, event.parent_id or event.id)

    async def _send(self, event: Event, options: EmitOptions, seconds: float) -> None:
        if options.outbox:
            await self._outbox.write((), [self._entry(event, options)])
            return
        await self._publisher.emit(event, seconds, delay_seconds=options.delay_seconds)

    @asynccontextmanager
    async def _claimed(
        self, event: Event, options: EmitOptions, seconds: float
    ) -> AsyncIterator[Event | None]:
        """The event to send, under the id that its key gives it; None if it was sent before.

        The key counts as sent if nothing is raised inside.
        """
        if options.key is None:
            yield event
            return
        claim = await self._claim(event, options.key, seconds)
        if claim.state == "sent":
            _log_dropped(event, options.key)
            yield None
            return
        try:
            yield replace(event, id=claim.event_id)
        except BaseException:
            with suppress(StoreUnavailableError):  # then its lease runs out
                await self._keys.release(event.topic, options.key)
            raise
        await self._confirm(event, options.key, claim.event_id)

    async def _claim(self, event: Event, key: str, seconds: float) -> Claim:
        """The key's claim, once nobody else is sending."""
        deadline = time.monotonic() + seconds
        while True:
            claim = await self._keys.claim(event.topic, key, event.id, LEASE_SECONDS)
            if claim.state != "busy":
                return claim
            if time.monotonic() > deadline:
                raise EmitError(
                    f"another emit with the id {key[:100]!r} has been under way all the time.",
                    f"emit {event.topic!r}",
                    "Look at the broker; an emit that is under way may wait for it.",
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def _confirm(self, event: Event, key: str, event_id: str) -> None:
        try:
            await self._keys.confirm(event.topic, key, event_id)
        except StoreUnavailableError as error:
            logger.warning(
                "An event on %s was sent, but its id %.100r could not be marked: another emit of "
                "it would send the same event again (%s)",
                event.topic,
                key,
                error,
                extra={"action": "emit.unmarked"},
            )


def _log_dropped(event: Event, key: str) -> None:
    logger.debug(
        "An event on %s with the id %.100r was sent before; this one is dropped",
        event.topic,
        key,
        extra={"action": "emit.dropped"},
    )
