"""Streams: items by stream, group and id, whose changes every web process hears of.

A group is one hash, and is listed in the order in which its items were created. Each change is
stored, logged and published in one atomic step, with a version that orders all changes of the
app. A subscriber hears changes from its first :class:`Gap` on, reads snapshots after that, and
drops the changes that a snapshot's version already holds; so it misses none.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol, cast

import orjson

from motia_celery.errors import StateValueError
from motia_celery.model.change import Change, Gap, Snapshot
from motia_celery.stores import stream_scripts
from motia_celery.stores.names import encoded_name, stream_place
from motia_celery.stores.redis import reaching
from motia_celery.stores.rule import Operations, Rule, Updated
from motia_celery.stores.subscription import published
from motia_celery.stores.telling import keys_and_arguments, told_of_stream
from motia_celery.stores.turns import Turns, give_way
from motia_celery.stores.values import decode, encode

if TYPE_CHECKING:
    import redis.asyncio

    from motia_celery.model.told import Teller

logger = logging.getLogger("motia_celery.streams")

#: How far back a client may resume: so many changes of its group, and so long.
LOG_LENGTH = 200
LOG_SECONDS = 300.0

Item = dict[str, Any]


class StreamStore(Protocol):
    """What every store of streams does. Items are dicts with their ``id``."""

    async def get(self, stream: str, group: str, id: str) -> Item | None:
        """The item, or None."""

    async def set(self, stream: str, group: str, id: str, data: Any) -> Item | None:
        """Create or replace the item, and return it; ``None``, 0, false and ``""`` do nothing.

        Raises:
            StateValueError: the data is no JSON object.
        """

    async def update(self, stream: str, group: str, id: str, operations: Operations) -> Updated:
        """Change the item in one atomic step; one that is not there is created.

        Raises:
            UpdateError: the operations do not fit the item.
        """

    async def delete(self, stream: str, group: str, id: str) -> Item | None:
        """Remove the item and return it; None, and nobody is told, if it is not there."""

    async def get_group(self, stream: str, group: str) -> list[Item]:
        """The items of the group, oldest first."""

    async def groups(self, stream: str) -> list[str]:
        """The names of the groups that hold items."""

    async def clear(self, stream: str, group: str) -> None:
        """Remove every item of the group."""

    async def send(self, stream: str, group: str, id: str | None, event: Any) -> None:
        """Tell subscribers of the group, or of the item, an event that is not stored."""

    def subscribe(self) -> AsyncGenerator[Change | Gap, None]:
        """All changes of the app, for ever; a :class:`Gap` first, and after each interruption.

        Close it (``contextlib.aclosing``) when nobody listens any more.
        """

    async def snapshot(self, stream: str, group: str, id: str | None = None) -> Snapshot:
        """The group, or the item, with the version up to which changes are in it."""

    async def changes_since(self, stream: str, group: str, version: int) -> list[Change] | None:
        """The group's changes after the version; None if not all of them are known any more."""

    async def last_delete(self, stream: str, group: str, id: str) -> Change | None:
        """The item's deletion, if the group's log still knows it and nothing came after it.

        By it a client that was away learns that an item is gone.
        """


class RedisStreams:
    """Streams in Redis, shared by all processes with the same prefix.

    Every method but ``subscribe`` raises ``StoreUnavailableError`` when Redis does not answer.
    """

    def __init__(
        self,
        client: redis.asyncio.Redis,
        prefix: str,
        *,
        log_length: int = LOG_LENGTH,
        log_seconds: float = LOG_SECONDS,
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._limits = (log_length, round(log_seconds * 1000))
        # Channels do not belong to a database; two apps may differ by that alone.
        database = client.connection_pool.connection_kwargs.get("db") or 0
        self._channel = f"{prefix}:stream-changes:{database}"
        self._clock = f"{prefix}:stream-clock".encode()
        self._turns = Turns()
        self._teller: Teller | None = None
        self._put_script = client.register_script(stream_scripts.PUT)
        self._send_script = client.register_script(stream_scripts.SEND)
        self._clear_script = client.register_script(stream_scripts.CLEAR)
        self._since_script = client.register_script(stream_scripts.SINCE)
        self._last_script = client.register_script(stream_scripts.LAST)

    def telling(self, teller: Teller) -> RedisStreams:
        """The same streams; the changes that are made through it start whom the teller names."""
        told = copy.copy(self)
        told._teller = teller
        return told

    async def get(self, stream: str, group: str, id: str) -> Item | None:
        """The item, or None."""
        found = await self._read(stream, group, id)
        return _item(found, stream_place(stream, group, id))

    async def set(self, stream: str, group: str, id: str, data: Any) -> Item | None:
        """Create or replace the item, and return it."""
        if is_falsy(data):
            return None
        item = as_item(data, id, stream_place(stream, group, id))
        await self._put(stream, group, id, item)
        return item

    async def update(self, stream: str, group: str, id: str, operations: Operations) -> Updated:
        """Change the item in one atomic step."""
        where = stream_place(stream, group, id)
        rule = Rule(operations, where)
        async with self._turns.of(stream, group, id):
            found, losses = await self._read(stream, group, id), 0
            while True:
                result = rule.applied(_item(found, where), _item(found, where))
                item = changed_item(result, id, where)
                done, held = await self._put(stream, group, id, item, found or b"")
                if done:
                    return result
                found, losses = held, losses + 1
                await give_way(losses)

    async def delete(self, stream: str, group: str, id: str) -> Item | None:
        """Remove the item and return it."""
        _, found = await self._put(stream, group, id, None)
        return _item(found, stream_place(stream, group, id))

    async def get_group(self, stream: str, group: str) -> list[Item]:
        """The items of the group, oldest first."""
        with reaching(self._client):
            found = await self._client.hgetall(self._key("stream", stream, group))
        return _items(found.values(), stream_place(stream, group))

    async def groups(self, stream: str) -> list[str]:
        """The names of the groups that hold items."""
        with reaching(self._client):
            names: Any = await self._client.smembers(self._key("stream-groups", stream))
        return sorted(name.decode() for name in names)

    async def clear(self, stream: str, group: str) -> None:
        """Remove every item of the group."""
        await self._change(self._clear_script, stream, group)

    async def send(self, stream: str, group: str, id: str | None, event: Any) -> None:
        """Tell subscribers an event."""
        name = b"null" if id is None else _json_name(id)
        encoded = encode(event, stream_place(stream, group, id))
        await self._change(self._send_script, stream, group, name, encoded, encoded=encoded)

    async def subscribe(self) -> AsyncGenerator[Change | Gap, None]:
        """All changes of the app, for ever."""
        async with aclosing(published(self._client, self._channel)) as messages:
            async for message in messages:
                if message is None:
                    yield Gap()
                elif change := _read_change(message):
                    yield change

    async def snapshot(self, stream: str, group: str, id: str | None = None) -> Snapshot:
        """The group or the item with its version."""
        key, where = self._key("stream", stream, group), stream_place(stream, group, id)
        with reaching(self._client):
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.hget(self._clock, "last")
                pipe.time()
                if id is None:
                    pipe.hvals(key)
                else:
                    pipe.hget(key, _name(id))
                last, (seconds, microseconds), found = await pipe.execute()
        data = _items(found, where) if id is None else _item(found, where)
        version = int(last or 0)
        return Snapshot(version, data, max(version, seconds * 1_000_000 + microseconds))

    async def changes_since(self, stream: str, group: str, version: int) -> list[Change] | None:
        """The group's changes after the version; None if not all are known any more."""
        keys: list[Any] = [self._clock, self._key("stream-log", stream, group)]
        with reaching(self._client):
            found = await self._since_script(keys=keys, args=[int(version), *self._limits])
        return None if found is None else [Change(**orjson.loads(change)) for change in found]

    async def last_delete(self, stream: str, group: str, id: str) -> Change | None:
        """The item's deletion, if nothing is known to have come after it."""
        place = b'"stream":%b,"group":%b' % (_json_name(stream), _json_name(group))
        with reaching(self._client):
            found = await self._last_script(
                keys=[self._key("stream-log", stream, group)], args=[place, _json_name(id)]
            )
        change = _read_change(found) if found else None
        return change if change and change.type == "delete" else None

    async def _read(self, stream: str, group: str, id: str) -> bytes | None:
        key = self._key("stream", stream, group)
        with reaching(self._client):
            return cast("bytes | None", await self._client.hget(key, _name(id)))

    async def _put(
        self, stream: str, group: str, id: str, item: Item | None, expected: bytes = b"*"
    ) -> tuple[bool, bytes | None]:
        """Whether it was done, and what had been stored; no item deletes."""
        where = stream_place(stream, group, id)
        encoded = b"" if item is None else encode(item, where)
        told = None if item is None else created_at(item)
        created = "" if told is None else str(told)
        arguments = (_name(id), _json_name(id), encoded, created, expected)
        done, *found = await self._change(
            self._put_script, stream, group, *arguments, encoded=encoded
        )
        return bool(done), found[0] if found else None

    async def _change(
        self, script: Any, stream: str, group: str, *arguments: Any, encoded: bytes = b""
    ) -> Any:
        place = b'"stream":%b,"group":%b' % (_json_name(stream), _json_name(group))
        keys = [
            self._key("stream", stream, group),
            self._key("stream-groups", stream),
            self._clock,
            self._key("stream-log", stream, group),
        ]
        told = told_of_stream(self._teller, stream, group, encoded)
        args = [_name(group), self._channel, place, *self._limits, *arguments]
        keys, args = keys_and_arguments(told, keys, args)
        with reaching(self._client):
            return await script(keys=keys, args=args)

    def _key(self, kind: str, stream: str, *group: str) -> bytes:
        """A key; a colon in the stream's name is written so that it parts nothing."""
        name = _name(stream).replace(b"%", b"%25").replace(b":", b"%3A")
        return b":".join((self._prefix.encode(), kind.encode(), name, *map(_name, group)))


def is_falsy(data: Any) -> bool:
    """Whether setting it does nothing, as in JavaScript: an empty list or dict is something."""
    return data is None or (isinstance(data, bool | int | float | str) and not data)


def as_item(data: Any, id: str, where: str) -> Item:
    """The data as it is stored and told: with its id, without Motia's marker.

    Raises:
        StateValueError: it is no object, or holds what JSON can not.
    """
    plain = decode(encode(data, where), where)
    if not isinstance(plain, dict):
        raise StateValueError(
            f"{type(data).__name__} is no item of a stream.", where, "Give an object (a dict)."
        )
    plain.pop("__motia", None)
    return {**plain, "id": _name(id).decode()}


def changed_item(result: Updated, id: str, where: str) -> Item | None:
    """What an update made of an item, which is put into the result; None if it deletes it."""
    if result["new_value"] is not None:
        result["new_value"] = as_item(result["new_value"], id, where)
    item: Item | None = result["new_value"]
    return item


def _name(name: object) -> bytes:
    return encoded_name(name, "streams")


def _json_name(name: object) -> bytes:
    return orjson.dumps(_name(name).decode())


def created_at(item: Item) -> int | None:
    """When the item itself says that it was created (``_createdAt``), in ms."""
    told = item.get("_createdAt")
    is_time = isinstance(told, int) and not isinstance(told, bool) and 0 <= told < 2**53
    return told if is_time else None


def _item(found: bytes | None, where: str) -> Item | None:
    return None if found is None else decode(found, where)["item"]


def _items(found: Any, where: str) -> list[Item]:
    stored: list[Mapping[str, Any]] = [decode(one, where) for one in found]
    stored.sort(key=lambda one: (one["created"], one["order"]))
    return [one["item"] for one in stored]


def _read_change(message: bytes) -> Change | None:
    try:
        return Change(**orjson.loads(message))
    except (orjson.JSONDecodeError, TypeError):
        logger.warning("A message on the channel of changes is none.", extra={"action": "streams"})
        return None
