"""What a handler does with its context, noted in the recording of its run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from motia_celery.context.state import BeginState, Values
from motia_celery.context.streams import Items
from motia_celery.model.emit import EmitOptions
from motia_celery.model.event import Event
from motia_celery.model.told import Teller
from motia_celery.model.transaction import StateChange
from motia_celery.observe.recording import Recording

Operations = Iterable[Mapping[str, Any]]


def recorded_state(values: Values, recording: Recording | None) -> Values:
    """The state as it is, or such that the recording has what is changed in it."""
    return values if recording is None else RecordedState(values, recording)


def recorded_begin(begin: BeginState | None, recording: Recording | None) -> BeginState | None:
    """What begins calls as it is, or such that the recording has what is changed by them."""
    return begin if begin is None or recording is None else RecordedBegin(begin, recording)


def recorded_streams(items: Items, recording: Recording | None) -> Items:
    """The streams as they are, or such that the recording has what is changed in them."""
    return items if recording is None else RecordedStreams(items, recording)


@contextmanager
def noted(
    recording: Recording | None, *events: tuple[Event, EmitOptions]
) -> Iterator[Callable[[bool], bool]]:
    """Notes the events as emitted; as not, where False is passed through, or an error is raised."""
    ok = True

    def sent(was_sent: bool) -> bool:
        nonlocal ok
        ok = was_sent
        return was_sent

    try:
        yield sent
    except BaseException:
        ok = False
        raise
    finally:
        if recording is not None:
            for event, options in events:
                recording.emitted(event, ok=ok, delay_seconds=options.delay_seconds)


def note_sent(recording: Recording, event: Event, ended: asyncio.Future[bool]) -> None:
    """Notes an event that was sent without delay, once that has ended."""
    ok = not ended.cancelled() and ended.exception() is None
    recording.emitted(event, ok=ok)


def note_changes(recording: Recording | None, changes: Sequence[StateChange]) -> None:
    """Notes the changes of a transaction."""
    for change in changes if recording is not None else ():
        op = "delete" if change.value is None else "set"
        assert recording is not None
        recording.state_changed(op, change.group, change.key, change.value)


class RecordedState:
    """State whose changes are noted."""

    __slots__ = ("_recording", "_store", "get", "get_group", "groups")

    def __init__(self, store: Values, recording: Recording) -> None:
        self._store = store
        self._recording = recording
        self.get, self.get_group, self.groups = store.get, store.get_group, store.groups

    def telling(self, teller: Teller) -> RecordedState:
        """The same; the changes that are made through it start whom the teller names."""
        return RecordedState(self._store.telling(teller), self._recording)

    async def set(
        self, group: str, key: str, value: Any, *, ttl_seconds: float | None = None
    ) -> Any:
        """Keeps the value, and gives it back."""
        result = await self._store.set(group, key, value, ttl_seconds=ttl_seconds)
        self._recording.state_changed("set", group, key, value)
        return result

    async def update(self, group: str, key: str, operations: Operations) -> Any:
        """Changes the value in one atomic step."""
        result = await self._store.update(group, key, operations)
        self._recording.state_changed("update", group, key, _new(result))
        return result

    async def compare_and_set(
        self, group: str, key: str, expected: Any, value: Any, *, ttl_seconds: float | None = None
    ) -> bool:
        """Keeps the value if ``expected`` is there."""
        store = self._store
        swapped = await store.compare_and_set(group, key, expected, value, ttl_seconds=ttl_seconds)
        if swapped:
            self._recording.state_changed("set", group, key, value)
        return swapped

    async def delete(self, group: str, key: str) -> Any:
        """Removes the key, and gives what it held, or None."""
        was = await self._store.delete(group, key)
        self._recording.state_changed("delete", group, key)
        return was

    async def clear(self, group: str) -> None:
        """Removes the group."""
        await self._store.clear(group)
        self._recording.state_changed("clear", group)


class RecordedBegin:
    """Begins calls whose changes are noted."""

    __slots__ = ("_begin", "_recording", "get")

    def __init__(self, begin: BeginState, recording: Recording) -> None:
        self._begin = begin
        self._recording = recording
        self.get = begin.get

    def set(
        self,
        group: str,
        key: str,
        value: Any,
        ttl_seconds: float | None,
        stored: Callable[[], None] | None = None,
    ) -> asyncio.Future[Any] | None:
        """Keeps the value, and gives it back."""

        def noting() -> None:
            self._recording.state_changed("set", group, key, value)
            if stored is not None:
                stored()

        return self._begin.set(group, key, value, ttl_seconds, noting)


class RecordedStreams:
    """Streams whose changes are noted."""

    __slots__ = ("_recording", "_store", "get", "get_group", "groups")

    def __init__(self, store: Items, recording: Recording) -> None:
        self._store = store
        self._recording = recording
        self.get, self.get_group, self.groups = store.get, store.get_group, store.groups

    def telling(self, teller: Teller) -> RecordedStreams:
        """The same; the changes that are made through it start whom the teller names."""
        return RecordedStreams(self._store.telling(teller), self._recording)

    async def set(self, stream: str, group: str, id: str, data: Any) -> Any:
        """Creates or replaces the item, and gives it."""
        item = await self._store.set(stream, group, id, data)
        if item is not None:
            self._recording.stream_changed("set", stream, group, id, data)
        return item

    async def update(self, stream: str, group: str, id: str, operations: Operations) -> Any:
        """Changes the item in one atomic step."""
        result = await self._store.update(stream, group, id, operations)
        self._recording.stream_changed("update", stream, group, id, _new(result))
        return result

    async def delete(self, stream: str, group: str, id: str) -> Any:
        """Removes the item, and gives it, or None."""
        item = await self._store.delete(stream, group, id)
        self._recording.stream_changed("delete", stream, group, id)
        return item

    async def send(self, stream: str, group: str, id: str | None, event: Any) -> None:
        """Tells subscribers an event that is not stored."""
        await self._store.send(stream, group, id, event)
        self._recording.stream_changed("send", stream, group, id, event)


def _new(result: Any) -> Any:
    return result.get("new_value") if isinstance(result, Mapping) else None
