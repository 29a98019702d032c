"""State: JSON values by group and key, in Redis for every process, or in memory for tests.

A group is one hash, so that reading it costs its own size and not the database's. Groups and
keys are free text. None is the same as missing: setting it deletes the key, and a group
without keys is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from motia_celery.errors import StateValueError
from motia_celery.stores.redis import reaching
from motia_celery.stores.values import decode, encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    import redis.asyncio

# KEYS: the group's hash, the set of group names. ARGV: the key, the group's name.
_TAKE_OUT = """
local old = redis.call('HGET', KEYS[1], ARGV[1])
if old then
  redis.call('HDEL', KEYS[1], ARGV[1])
  if redis.call('HLEN', KEYS[1]) == 0 then redis.call('SREM', KEYS[2], ARGV[2]) end
end
return old
"""


class StateStore(Protocol):
    """What every state store does. Lists are in the order of the keys' text."""

    async def get(self, group: str, key: str) -> Any | None:
        """The value, or None."""

    async def set(self, group: str, key: str, value: Any) -> Any:
        """Keep ``value``, whatever was there, and return it.

        Raises:
            StateValueError: the value has no JSON form.
        """

    async def delete(self, group: str, key: str) -> Any | None:
        """Remove the key and return what it held, or None."""

    async def get_group(self, group: str) -> list[Any]:
        """The values of the group."""

    async def items(self, group: str) -> dict[str, Any]:
        """The values of the group by key."""

    async def groups(self) -> list[str]:
        """The names of the groups that hold something."""

    async def clear(self, group: str) -> None:
        """Remove the group with all that it holds."""


class RedisState:
    """State in Redis, shared by all processes with the same prefix; each change is atomic.

    Every method raises ``StoreUnavailableError`` when Redis does not answer.
    """

    def __init__(self, client: redis.asyncio.Redis, prefix: str) -> None:
        self._client = client
        self._prefix = prefix
        # A prefix holds no colon, so no group's hash can have this name.
        self._names = f"{prefix}:state-groups"
        self._take_out = client.register_script(_TAKE_OUT)

    async def get(self, group: str, key: str) -> Any | None:
        """The value, or None."""
        with reaching(self._client):
            found = await self._client.hget(self._hash(group), _encoded(key))
        return None if found is None else decode(found, _place(group, key))

    async def set(self, group: str, key: str, value: Any) -> Any:
        """Keep ``value`` and return it."""
        if value is None:
            await self.delete(group, key)
            return None
        encoded = encode(value, _place(group, key))
        name, field = self._hash(group), _encoded(key)
        with reaching(self._client):
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.hset(name, field, encoded)
                pipe.sadd(self._names, _encoded(group))
                await pipe.execute()
        return value

    async def delete(self, group: str, key: str) -> Any | None:
        """Remove the key and return what it held, or None."""
        keys: list[bytes | str | memoryview] = [self._hash(group), self._names]
        with reaching(self._client):
            found = await self._take_out(keys=keys, args=[_encoded(key), _encoded(group)])
        return None if found is None else decode(found, _place(group, key))

    async def get_group(self, group: str) -> list[Any]:
        """The values of the group."""
        return list((await self.items(group)).values())

    async def items(self, group: str) -> dict[str, Any]:
        """The values of the group by key."""
        with reaching(self._client):
            found = await self._client.hgetall(self._hash(group))
        return _decoded(group, found)

    async def groups(self) -> list[str]:
        """The names of the groups that hold something."""
        with reaching(self._client):
            names: set[Any] = await self._client.smembers(self._names)
        return sorted(name.decode() for name in names)

    async def clear(self, group: str) -> None:
        """Remove the group with all that it holds."""
        name = self._hash(group)
        with reaching(self._client):
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.delete(name)
                pipe.srem(self._names, _encoded(group))
                await pipe.execute()

    def _hash(self, group: str) -> bytes:
        return f"{self._prefix}:state:".encode() + _encoded(group)


class MemoryState:
    """The same in this process's memory, for tests. Values are kept as JSON, so they are copies."""

    def __init__(self) -> None:
        self._groups: dict[bytes, dict[bytes, bytes]] = {}

    async def get(self, group: str, key: str) -> Any | None:
        """The value, or None."""
        found = self._group(group).get(_encoded(key))
        return None if found is None else decode(found, _place(group, key))

    async def set(self, group: str, key: str, value: Any) -> Any:
        """Keep ``value`` and return it."""
        if value is None:
            await self.delete(group, key)
            return None
        encoded = encode(value, _place(group, key))
        self._groups.setdefault(_encoded(group), {})[_encoded(key)] = encoded
        return value

    async def delete(self, group: str, key: str) -> Any | None:
        """Remove the key and return what it held, or None."""
        held = self._group(group)
        found = held.pop(_encoded(key), None)
        if not held:
            await self.clear(group)
        return None if found is None else decode(found, _place(group, key))

    async def get_group(self, group: str) -> list[Any]:
        """The values of the group."""
        return list((await self.items(group)).values())

    async def items(self, group: str) -> dict[str, Any]:
        """The values of the group by key."""
        return _decoded(group, self._group(group))

    async def groups(self) -> list[str]:
        """The names of the groups that hold something."""
        return sorted(name.decode() for name in self._groups)

    async def clear(self, group: str) -> None:
        """Remove the group with all that it holds."""
        self._groups.pop(_encoded(group), None)

    def _group(self, group: str) -> dict[bytes, bytes]:
        return self._groups.get(_encoded(group), {})


def _decoded(group: str, found: Mapping[Any, bytes | str]) -> dict[str, Any]:
    # UTF-8 sorts as its text does, so both stores list in one order.
    return {key.decode(): decode(found[key], _place(group, key.decode())) for key in sorted(found)}


def _encoded(name: object) -> bytes:
    """A group or key as bytes; ids are often numbers, and stand for their digits."""
    text = str(name) if isinstance(name, int) and not isinstance(name, bool) else name
    if not isinstance(text, str):
        raise _bad_name(name)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise _bad_name(name) from error


def _bad_name(name: object) -> StateValueError:
    return StateValueError(
        f"{name!r} ({type(name).__name__}) is no name for a group or key.", "state", "Use text."
    )


def _place(group: str, key: str) -> str:
    return f"state {group!r} / {key!r}"
