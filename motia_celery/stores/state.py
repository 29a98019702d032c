"""State: JSON values by group and key, in Redis for every process, or in memory for tests.

A group is one hash, so that reading it costs its own size and not the database's. Groups and
keys are free text. None is the same as missing: setting it deletes the key, and a group
without keys is gone. A key may have a life, after which it is missing.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any, Protocol

from motia_celery.errors import StateValueError
from motia_celery.stores import state_scripts
from motia_celery.stores.names import encoded_name, state_place
from motia_celery.stores.redis import reaching
from motia_celery.stores.rule import (
    Operations,
    Rule,
    Updated,
    applied_to,
    decoded,
    encoded_or_none,
    plain,
    value_of,
)
from motia_celery.stores.telling import keys_and_arguments, told_of_state
from motia_celery.stores.turns import Turns, give_way
from motia_celery.stores.values import encode, same

if TYPE_CHECKING:
    import redis.asyncio

    from motia_celery.model.told import Teller, Told


class StateStore(Protocol):
    """What every state store does. Lists are in the order of the keys' text."""

    async def get(self, group: str, key: str) -> Any | None:
        """The value, or None."""

    async def set(
        self, group: str, key: str, value: Any, *, ttl_seconds: float | None = None
    ) -> Any:
        """Keep ``value``, whatever was there, and return it; without a life, for ever.

        Raises:
            StateValueError: the value has no JSON form, or the life is no positive number.
        """

    async def update(self, group: str, key: str, operations: Operations) -> Updated:
        """Change the value in one atomic step; see :func:`motia_celery.model.update.updated`.

        A life that the key has stays.

        Raises:
            UpdateError: the operations do not fit the value.
        """

    async def compare_and_set(
        self,
        group: str,
        key: str,
        expected: Any,
        value: Any,
        *,
        ttl_seconds: float | None = None,
    ) -> bool:
        """:meth:`set`, if the key holds ``expected`` (None: nothing); False if it does not."""

    async def delete(self, group: str, key: str) -> Any | None:
        """Remove the key and return what it held, or None."""

    async def get_group(self, group: str) -> list[Any]:
        """The values of the group."""

    async def items(self, group: str) -> dict[str, Any]:
        """The values of the group by key."""

    async def lives(self, group: str) -> dict[str, float]:
        """How many seconds are left to those keys of the group that have a life."""

    async def groups(self) -> list[str]:
        """The names of the groups that hold something."""

    async def clear(self, group: str) -> None:
        """Remove the group with all that it holds."""


class RedisState:
    """State in Redis, shared by all processes with the same prefix; each change is atomic.

    Every method raises ``StoreUnavailableError`` when Redis does not answer. A change whose
    answer was lost with its connection is made again, so an increment may then count twice.
    """

    def __init__(self, client: redis.asyncio.Redis, prefix: str) -> None:
        self._client = client
        # A prefix holds no colon, so no group's hash can have the other keys' names.
        self._hashes = f"{prefix}:state:".encode()
        self._expiries = f"{prefix}:state-expiry:".encode()
        self._names = f"{prefix}:state-groups".encode()
        self._expiring = f"{prefix}:state-expiring".encode()
        self._turns = Turns()
        self._teller: Teller | None = None
        register = client.register_script
        self._get_script = register(state_scripts.GET)
        self._set_script = register(state_scripts.SET)
        self._swap_script = register(state_scripts.SWAP)
        self._take_out_script = register(state_scripts.TAKE_OUT)
        self._items_script = register(state_scripts.ITEMS)
        self._expiries_script = register(state_scripts.EXPIRIES)
        self._clear_script = register(state_scripts.CLEAR)
        self._groups_script = register(state_scripts.GROUPS)

    def telling(self, teller: Teller) -> RedisState:
        """The same state; the changes that are made through it start whom the teller names."""
        told = copy.copy(self)
        told._teller = teller
        return told

    async def get(self, group: str, key: str) -> Any | None:
        """The value, or None."""
        return value_of(await self._read(group, key), group, key)

    async def set(
        self, group: str, key: str, value: Any, *, ttl_seconds: float | None = None
    ) -> Any:
        """Keep ``value`` and return it."""
        life = milliseconds(ttl_seconds)
        if value is None:
            await self.delete(group, key)
            return None
        encoded = encode(value, state_place(group, key))
        await self._run(
            self._set_script,
            group,
            encoded_name(key),
            encoded,
            life,
            self._hashes,
            self._expiries,
            told=told_of_state(self._teller, group, key, encoded),
        )
        return value

    def get_command(self, group: str, key: str) -> tuple[Any, ...]:
        """What :meth:`get` asks of Redis; the answer is JSON."""
        return self._command(self._get_script, group, encoded_name(key))

    def set_command(
        self, group: str, key: str, value: Any, ttl_seconds: float | None
    ) -> tuple[Any, ...]:
        """What :meth:`set` asks of Redis, of a value that is not None and starts nobody."""
        life, encoded = milliseconds(ttl_seconds), encode(value, state_place(group, key))
        more = (encoded_name(key), encoded, life, self._hashes, self._expiries)
        return self._command(self._set_script, group, *more)

    async def update(self, group: str, key: str, operations: Operations) -> Updated:
        """Change the value in one atomic step."""
        rule = Rule(operations, state_place(group, key))
        async with self._turns.of(encoded_name(group), encoded_name(key)):
            found, losses = await self._read(group, key), 0
            while True:
                result, encoded = applied_to(rule, found, group, key)
                held = await self._swap(group, key, found, encoded, "keep")
                if held is _SWAPPED:
                    return result
                found, losses = held, losses + 1
                await give_way(losses)

    async def compare_and_set(
        self,
        group: str,
        key: str,
        expected: Any,
        value: Any,
        *,
        ttl_seconds: float | None = None,
    ) -> bool:
        """:meth:`set`, if the key holds ``expected``; False if it does not."""
        life, where = milliseconds(ttl_seconds), state_place(group, key)
        wanted, encoded = plain(expected, where), encoded_or_none(value, where)
        found = await self._read(group, key)
        while same(value_of(found, group, key), wanted):
            held = await self._swap(group, key, found, encoded, life)
            if held is _SWAPPED:
                return True
            found = held
        return False

    async def delete(self, group: str, key: str) -> Any | None:
        """Remove the key and return what it held, or None."""
        told = told_of_state(self._teller, group, key)
        found = await self._run(self._take_out_script, group, encoded_name(key), told=told)
        return value_of(found, group, key)

    async def get_group(self, group: str) -> list[Any]:
        """The values of the group."""
        return list((await self.items(group)).values())

    async def items(self, group: str) -> dict[str, Any]:
        """The values of the group by key."""
        name = encoded_name(group)
        with reaching(self._client):
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.exists(self._expiries + name)
                pipe.hgetall(self._hashes + name)
                some_expire, found = await pipe.execute()
        if some_expire:
            found = _pairs(await self._run(self._items_script, group))
        return decoded(group, found)

    async def lives(self, group: str) -> dict[str, float]:
        """How many seconds are left to those keys of the group that have a life."""
        found = _pairs(await self._run(self._expiries_script, group))
        return {key.decode(): float(found[key]) / 1000 for key in sorted(found)}

    async def groups(self) -> list[str]:
        """The names of the groups that hold something."""
        names = await self._run(self._groups_script, "", self._hashes, self._expiries)
        return sorted(name.decode() for name in names)

    async def clear(self, group: str) -> None:
        """Remove the group with all that it holds."""
        await self._run(self._clear_script, group, told=told_of_state(self._teller, group))

    async def _read(self, group: str, key: str) -> bytes | None:
        found: bytes | None = await self._run(self._get_script, group, encoded_name(key))
        return found

    async def _swap(
        self, group: str, key: str, found: bytes | None, encoded: bytes | None, life: str
    ) -> Any:
        """``_SWAPPED``, or what the key holds instead of ``found``."""
        values = (encoded_name(key), found or b"", encoded or b"", life)
        told = told_of_state(self._teller, group, key, encoded)
        done, *held = await self._run(self._swap_script, group, *values, told=told)
        return _SWAPPED if done else (held or [None])[0]

    async def change_in(
        self,
        pipe: Any,
        group: str,
        key: str,
        value: Any,
        ttl_seconds: float | None,
        told: Told | None = None,
    ) -> None:
        """Adds :meth:`set` to a transaction; of None, :meth:`delete`."""
        life, name, field = milliseconds(ttl_seconds), encoded_name(group), encoded_name(key)
        keys = self._keys(name)
        if value is None:
            keys, args = keys_and_arguments(told, keys, [name, field])
            await self._take_out_script(keys=keys, args=args, client=pipe)
            return
        encoded = encode(value, state_place(group, key))
        if told is not None:
            told.check(encoded, state_place(group, key))
        more = [name, field, encoded, life, self._hashes, self._expiries]
        keys, args = keys_and_arguments(told, keys, more)
        await self._set_script(keys=keys, args=args, client=pipe)

    def _command(self, script: Any, group: str, *arguments: Any) -> tuple[Any, ...]:
        name = encoded_name(group)
        keys = self._keys(name)
        return ("EVALSHA", script.sha, len(keys), *keys, name, *arguments)

    def _keys(self, name: bytes) -> list[bytes]:
        return [self._hashes + name, self._names, self._expiries + name, self._expiring]

    async def _run(self, script: Any, group: str, *arguments: Any, told: Told | None = None) -> Any:
        name = encoded_name(group)
        keys = self._keys(name)
        keys, args = keys_and_arguments(told, keys, [name, *arguments])
        with reaching(self._client):
            return await script(keys=keys, args=args)


_SWAPPED = object()


def _pairs(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def milliseconds(ttl_seconds: float | None) -> str:
    """A life as the scripts take it; nothing for one without end."""
    if ttl_seconds is None:
        return ""
    is_number = isinstance(ttl_seconds, int | float) and not isinstance(ttl_seconds, bool)
    if not is_number or not 0 < ttl_seconds < math.inf:
        raise StateValueError(
            f"{ttl_seconds!r} is no life for a key.", "ttl_seconds", "Give seconds, more than 0."
        )
    return str(max(1, math.ceil(ttl_seconds * 1000)))
