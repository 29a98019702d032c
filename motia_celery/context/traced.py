"""The services of a context, with a span for each call of a handler on them, if spans are made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from motia_celery.context.context import Begin, Emitter, Services
from motia_celery.context.state import BeginState, Values
from motia_celery.context.streams import Items
from motia_celery.model.emit import EmitOptions
from motia_celery.model.event import Event
from motia_celery.model.told import Teller
from motia_celery.model.transaction import StateChange
from motia_celery.observe import tracing
from motia_celery.observe.spans import operation, sending

Operations = Iterable[Mapping[str, Any]]


def traced(services: Services) -> Services:
    """The services, whose calls are spans of the run that makes them."""
    return replace(
        services,
        emitter=TracedEmitter(services.emitter),
        begin=partial(_begun, services.begin) if services.begin else None,
        state=TracedState(services.state),
        begin_state=TracedBegin(services.begin_state) if services.begin_state else None,
        streams=TracedStreams(services.streams),
    )


def _begun(
    begin: Begin, event: Event, options: EmitOptions, timeout_seconds: float | None
) -> asyncio.Future[bool] | None:
    """The emit, unless it is to have a span."""
    return begin(event, options, timeout_seconds) if tracing.running() is None else None


class TracedEmitter:
    """Emits at the place of a span of its own, which the runs that follow come from."""

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter

    async def emit(
        self, event: Event, options: EmitOptions, *, timeout_seconds: float | None = None
    ) -> bool:
        """Publishes the event; False if it is dropped."""
        with sending(event, event.trace) as placed:
            return await self._emitter.emit(placed, options, timeout_seconds=timeout_seconds)

    async def commit(
        self,
        changes: Sequence[StateChange],
        events: Sequence[tuple[Event, EmitOptions]],
        *,
        timeout_seconds: float | None = None,
    ) -> None:
        """Makes changes and stores events, all of it or nothing."""
        with operation("transaction", state_changes=len(changes)), ExitStack() as stack:
            placed = [
                (stack.enter_context(sending(event, event.trace)), options)
                for event, options in events
            ]
            await self._emitter.commit(changes, placed, timeout_seconds=timeout_seconds)


def _of_state(
    method: str, group: str | None = None, key: str | None = None
) -> AbstractContextManager[Any]:
    return operation(f"state.{method}", state_group=group, state_key=key)


class TracedBegin:
    """Begins the calls of state that are to have no span."""

    def __init__(self, begin: BeginState) -> None:
        self._begin = begin

    def get(self, group: str, key: str, form: Callable[[Any], Any]) -> asyncio.Future[Any] | None:
        """The value, or None, as ``form`` makes it."""
        return self._begin.get(group, key, form) if tracing.running() is None else None

    def set(
        self,
        group: str,
        key: str,
        value: Any,
        ttl_seconds: float | None,
        stored: Callable[[], None] | None = None,
    ) -> asyncio.Future[Any] | None:
        """Keeps the value, and gives it back."""
        if tracing.running() is not None:
            return None
        return self._begin.set(group, key, value, ttl_seconds, stored)


class TracedState:
    """State whose calls are spans."""

    def __init__(self, state: Values) -> None:
        self._state = state

    def telling(self, teller: Teller) -> TracedState:
        """The same; the changes that are made through it start whom the teller names."""
        return TracedState(self._state.telling(teller))

    async def get(self, group: str, key: str) -> Any:
        """The value, or None."""
        with _of_state("get", group, key):
            return await self._state.get(group, key)

    async def set(
        self, group: str, key: str, value: Any, *, ttl_seconds: float | None = None
    ) -> Any:
        """Keeps the value, and gives it back."""
        with _of_state("set", group, key):
            return await self._state.set(group, key, value, ttl_seconds=ttl_seconds)

    async def update(self, group: str, key: str, operations: Operations) -> Any:
        """Changes the value in one atomic step."""
        with _of_state("update", group, key):
            return await self._state.update(group, key, operations)

    async def compare_and_set(
        self, group: str, key: str, expected: Any, value: Any, *, ttl_seconds: float | None = None
    ) -> bool:
        """Keeps the value if ``expected`` is there."""
        with _of_state("compare_and_set", group, key):
            swap = self._state.compare_and_set
            return await swap(group, key, expected, value, ttl_seconds=ttl_seconds)

    async def delete(self, group: str, key: str) -> Any:
        """Removes the key, and gives what it held, or None."""
        with _of_state("delete", group, key):
            return await self._state.delete(group, key)

    async def get_group(self, group: str) -> Any:
        """The values of the group."""
        with _of_state("get_group", group):
            return await self._state.get_group(group)

    async def groups(self) -> Any:
        """The names of the groups that hold something."""
        with _of_state("list_groups"):
            return await self._state.groups()

    async def clear(self, group: str) -> None:
        """Removes the group."""
        with _of_state("clear", group):
            await self._state.clear(group)


def _of_stream(
    method: str, stream: str, group: str | None = None, id: str | None = None
) -> AbstractContextManager[Any]:
    return operation(f"streams.{method}", stream_name=stream, stream_group=group, stream_item=id)


class TracedStreams:
    """Streams whose calls are spans."""

    def __init__(self, streams: Items) -> None:
        self._streams = streams

    def telling(self, teller: Teller) -> TracedStreams:
        """The same; the changes that are made through it start whom the teller names."""
        return TracedStreams(self._streams.telling(teller))

    async def get(self, stream: str, group: str, id: str) -> Any:
        """The item, or None."""
        with _of_stream("get", stream, group, id):
            return await self._streams.get(stream, group, id)

    async def set(self, stream: str, group: str, id: str, data: Any) -> Any:
        """Creates or replaces the item, and gives it."""
        with _of_stream("set", stream, group, id):
            return await self._streams.set(stream, group, id, data)

    async def update(self, stream: str, group: str, id: str, operations: Operations) -> Any:
        """Changes the item in one atomic step."""
        with _of_stream("update", stream, group, id):
            return await self._streams.update(stream, group, id, operations)

    async def delete(self, stream: str, group: str, id: str) -> Any:
        """Removes the item, and gives it, or None."""
        with _of_stream("delete", stream, group, id):
            return await self._streams.delete(stream, group, id)

    async def get_group(self, stream: str, group: str) -> Any:
        """The items of the group, oldest first."""
        with _of_stream("get_group", stream, group):
            return await self._streams.get_group(stream, group)

    async def groups(self, stream: str) -> Any:
        """The names of the groups that hold items."""
        with _of_stream("list_groups", stream):
            return await self._streams.groups(stream)

    async def send(self, stream: str, group: str, id: str | None, event: Any) -> None:
        """Tells subscribers an event that is not stored."""
        with _of_stream("send", stream, group, id):
            await self._streams.send(stream, group, id, event)
