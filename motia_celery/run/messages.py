"""What clients of streams are told: each message is encoded once, however many get it."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import orjson

from motia_celery.model.change import Change, ChangeType, Snapshot

#: The one code of Motia's errors, and the one that it has no word for.
DENIED = "STREAM_ACCESS_DENIED"
TOO_MANY = "TOO_MANY_SUBSCRIPTIONS"

Kind = Literal["sync"] | ChangeType


@dataclass(frozen=True, slots=True)
class Place:
    """What a subscription follows: a group of a stream, or one item of it."""

    stream: str
    group: str
    id: str | None = None

    def is_within(self, places: Collection[Place]) -> bool:
        """Whether one of them is this place, or its group."""
        return self in places or Place(self.stream, self.group) in places

    @property
    def subscription(self) -> dict[str, str]:
        """The place as access rules see it."""
        return {"groupId": self.group} | ({} if self.id is None else {"id": self.id})


@dataclass(frozen=True)
class Message:
    """A message without its timestamp, which each client gets for itself.

    ``version`` is that of the change, or the moment of the snapshot, in microseconds; who was
    told all up to ``known`` may resume from there.
    """

    kind: Kind
    version: int
    place: Place
    data: str
    known: int

    @cached_property
    def body(self) -> str:
        """The members behind the timestamp, with the closing brace."""
        return self.body_as(self.kind)

    @cached_property
    def created(self) -> str:
        """The same, told as the creation of its item."""
        return self.body_as("create")

    def body_as(self, kind: Kind) -> str:
        """The same as a message of another kind."""
        name = "event" if kind == "event" else "data"
        return f'{self._head},"event":{{"type":"{kind}","{name}":{self.data}}}}}'

    @property
    def _head(self) -> str:
        place = self.place
        id = "" if place.id is None else f',"id":{_json(place.id)}'
        return f'"streamName":{_json(place.stream)},"groupId":{_json(place.group)}{id}'


def change_message(change: Change) -> Message:
    """What followers of the change's group and item are told."""
    place = Place(change.stream, change.group, change.id)
    return Message(change.type, change.version, place, _json(change.data), change.version)


def sync_message(place: Place, snapshot: Snapshot) -> Message:
    """What a group or an item holds."""
    return Message("sync", snapshot.moment, place, _json(snapshot.data), snapshot.version)


def gone_message(place: Place, snapshot: Snapshot, item: Any = None) -> Message:
    """That an item is not there any more; ``item`` is what it was, where that is known."""
    data = _json(item or {"id": place.id})
    return Message("delete", snapshot.moment, place, data, snapshot.version)


def refusal(place: Place, message: str, code: str = DENIED) -> Message:
    """Why a client does not follow the place."""
    error = {"type": "error", "data": {"code": code, "message": message}}
    return Message("event", time.time_ns() // 1000, place, _json(error), 0)


class Stamps:
    """The timestamps of one client: milliseconds with three decimals, each above the last.

    They go by Redis's clock, as versions do, so that a client which comes back through another
    process takes what it is told there for newer.
    """

    def __init__(self) -> None:
        self._last = 0

    def text(self, version: int, body: str) -> str:
        """The whole message."""
        self._last = max(version, self._last + 1)
        milliseconds, rest = divmod(self._last, 1000)
        return f'{{"timestamp":{milliseconds}.{rest:03d},{body}'


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
