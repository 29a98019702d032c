"""Streams in this process's memory, for tests."""

from __future__ import annotations

import asyncio
import copy
import time
from collections import defaultdict, deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from motia_celery.model.change import Change, ChangeType, Gap, Snapshot
from motia_celery.stores.names import encoded_name, stream_place
from motia_celery.stores.rule import Operations, Rule, Updated
from motia_celery.stores.streams import (
    LOG_LENGTH,
    LOG_SECONDS,
    Item,
    as_item,
    changed_item,
    created_at,
    is_falsy,
)
from motia_celery.stores.telling import Start, start_each, told_of_stream
from motia_celery.stores.values import decode, encode

if TYPE_CHECKING:
    from motia_celery.model.told import Teller

_Place = tuple[str, str]


class MemoryStreams:
    """The rules of every store of streams, on one event loop."""

    def __init__(
        self,
        *,
        log_length: int = LOG_LENGTH,
        log_seconds: float = LOG_SECONDS,
        start: Start | None = None,
    ) -> None:
        self._log_seconds = log_seconds
        self._versions = _Versions()
        self._start = start
        self._teller: Teller | None = None
        # An item by its id, with what orders it in its group: when it was created.
        self._items: dict[_Place, dict[str, tuple[tuple[int, int], Item]]] = defaultdict(dict)
        self._logs: dict[_Place, deque[Change]] = defaultdict(lambda: deque(maxlen=log_length))
        self._subscribers: set[asyncio.Queue[Change | Gap]] = set()

    def telling(self, teller: Teller) -> MemoryStreams:
        """The same streams; the changes that are made through it start whom the teller names."""
        told = copy.copy(self)
        told._teller = teller
        return told

    async def get(self, stream: str, group: str, id: str) -> Item | None:
        """The item, or None."""
        return self._get(stream, group, id)

    async def set(self, stream: str, group: str, id: str, data: Any) -> Item | None:
        """Create or replace the item, and return it."""
        if is_falsy(data):
            return None
        item = as_item(data, id, stream_place(stream, group, id))
        self._put(stream, group, id, item)
        return item

    async def update(self, stream: str, group: str, id: str, operations: Operations) -> Updated:
        """Change the item in one step."""
        where = stream_place(stream, group, id)
        old, copy = (self._get(stream, group, id) for _ in range(2))
        result = Rule(operations, where).applied(old, copy)
        self._put(stream, group, id, changed_item(result, id, where))
        return result

    async def delete(self, stream: str, group: str, id: str) -> Item | None:
        """Remove the item and return it."""
        found = self._get(stream, group, id)
        self._put(stream, group, id, None)
        return found

    async def get_group(self, stream: str, group: str) -> list[Item]:
        """The items of the group, oldest first."""
        held = self._items.get(_place(stream, group), {})
        return [_copy(item) for _, item in sorted(held.values(), key=lambda entry: entry[0])]

    async def groups(self, stream: str) -> list[str]:
        """The names of the groups that hold items."""
        return sorted(
            group for (name, group), held in self._items.items() if name == stream and held
        )

    async def clear(self, stream: str, group: str) -> None:
        """Remove every item of the group."""
        for id in [*self._items[_place(stream, group)]]:
            self._put(stream, group, id, None)

    async def send(self, stream: str, group: str, id: str | None, event: Any) -> None:
        """Tell subscribers an event."""
        plain = decode(encode(event, stream_place(stream, group, id)), "")
        self._tell("event", stream, group, None if id is None else _name(id), plain)

    async def subscribe(self) -> AsyncGenerator[Change | Gap, None]:
        """All changes of the app, for ever."""
        queue: asyncio.Queue[Change | Gap] = asyncio.Queue()
        self._subscribers.add(queue)
        try:
            yield Gap()
            while True:
                yield await queue.get()
        finally:
            self._subscribers.discard(queue)

    async def snapshot(self, stream: str, group: str, id: str | None = None) -> Snapshot:
        """The group or the item with its version."""
        moment = max(_now(), self._versions.last)
        if id is None:
            return Snapshot(self._versions.last, await self.get_group(stream, group), moment)
        return Snapshot(self._versions.last, self._get(stream, group, id), moment)

    async def changes_since(self, stream: str, group: str, version: int) -> list[Change] | None:
        """The group's changes after the version; None if not all are known any more."""
        if not self._versions.born or not self._versions.born <= version <= self._versions.last:
            return None
        if version == self._versions.last:
            return []
        log = self._logs[_place(stream, group)]
        is_late = _now() - version > self._log_seconds * 1_000_000
        if is_late or (len(log) == log.maxlen and log[0].version > version):
            return None
        return [change for change in log if change.version > version]

    async def last_delete(self, stream: str, group: str, id: str) -> Change | None:
        """The item's deletion, if it is the last thing known of the item."""
        log, name = self._logs[_place(stream, group)], _name(id)
        told = next((c for c in reversed(log) if c.id == name and c.type != "event"), None)
        return told if told and told.type == "delete" else None

    def _get(self, stream: str, group: str, id: str) -> Item | None:
        entry = self._items.get(_place(stream, group), {}).get(_name(id))
        return _copy(entry[1]) if entry else None

    def _put(self, stream: str, group: str, id: str, item: Item | None) -> None:
        told_of_stream(self._teller, stream, group, None if item is None else encode(item, ""))
        held, name = self._items[_place(stream, group)], _name(id)
        found = held.pop(name, None)
        if item is None:
            if found:
                self._tell("delete", stream, group, name, found[1])
            return
        change = self._tell("update" if found else "create", stream, group, name, _copy(item))
        created, order = found[0] if found else (change.version // 1000, change.version)
        told = created_at(item)
        held[name] = ((created if told is None else told, order), _copy(item))

    def _tell(self, kind: ChangeType, stream: str, group: str, id: str | None, data: Any) -> Change:
        self._versions.last = max(_now(), self._versions.last + 1)
        self._versions.born = self._versions.born or self._versions.last
        place = _place(stream, group)
        change = Change(
            version=self._versions.last,
            stream=place[0],
            group=place[1],
            id=id,
            type=kind,
            data=data,
        )
        self._logs[place].append(change)
        for queue in self._subscribers:
            queue.put_nowait(change)
        if self._start:
            told = told_of_stream(self._teller, stream, place[1])
            start_each(told, id, _told_body(change), self._start)
        return change


@dataclass(slots=True)
class _Versions:
    """The last version and the first, which all copies of the streams share."""

    last: int = 0
    born: int = 0


def _told_body(change: Change) -> bytes:
    return orjson.dumps(
        {
            "type": "stream",
            "timestamp": change.version // 1000,
            "streamName": change.stream,
            "groupId": change.group,
            "id": change.id,
            "event": {"type": change.type, "data": change.data},
        }
    )


def _now() -> int:
    return time.time_ns() // 1000


def _name(name: object) -> str:
    return encoded_name(name, "streams").decode()


def _place(stream: str, group: str) -> _Place:
    return _name(stream), _name(group)


def _copy(item: Item) -> Item:
    copied: Item = decode(encode(item, ""), "")
    return copied
