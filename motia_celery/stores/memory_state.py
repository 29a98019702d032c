"""State in this process's memory, for tests."""

from __future__ import annotations

import copy
import math
import time
from typing import TYPE_CHECKING, Any

from motia_celery.stores.names import encoded_name, state_place
from motia_celery.stores.rule import (
    Operations,
    Rule,
    Updated,
    applied_to,
    change_body,
    decoded,
    encoded_or_none,
    plain,
    value_of,
)
from motia_celery.stores.state import milliseconds
from motia_celery.stores.telling import start_each, told_of_state
from motia_celery.stores.values import same

if TYPE_CHECKING:
    from collections.abc import Callable

    from motia_celery.model.told import Teller
    from motia_celery.stores.telling import Start


class MemoryState:
    """What RedisState does, in memory. Values are kept as JSON, so they are copies."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, start: Start | None = None
    ) -> None:
        self._groups: dict[bytes, dict[bytes, tuple[bytes, float]]] = {}
        self._clock = clock
        self._start = start
        self._teller: Teller | None = None

    def telling(self, teller: Teller) -> MemoryState:
        """The same state; the changes that are made through it start whom the teller names."""
        told = copy.copy(self)
        told._teller = teller
        return told

    async def get(self, group: str, key: str) -> Any | None:
        """The value, or None."""
        return value_of(self._held(group, key)[0], group, key)

    async def set(
        self, group: str, key: str, value: Any, *, ttl_seconds: float | None = None
    ) -> Any:
        """Keep ``value`` and return it."""
        end = self._end(ttl_seconds)
        self._put(group, key, encoded_or_none(value, state_place(group, key)), end)
        return value

    async def update(self, group: str, key: str, operations: Operations) -> Updated:
        """Change the value in one step."""
        found, end = self._held(group, key)
        rule = Rule(operations, state_place(group, key))
        result, encoded = applied_to(rule, found, group, key)
        self._put(group, key, encoded, end)
        return result

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
        if not same(await self.get(group, key), plain(expected, state_place(group, key))):
            return False
        await self.set(group, key, value, ttl_seconds=ttl_seconds)
        return True

    async def delete(self, group: str, key: str) -> Any | None:
        """Remove the key and return what it held, or None."""
        found = await self.get(group, key)
        self._put(group, key, None, math.inf)
        return found

    async def get_group(self, group: str) -> list[Any]:
        """The values of the group."""
        return list((await self.items(group)).values())

    async def items(self, group: str) -> dict[str, Any]:
        """The values of the group by key."""
        return decoded(group, {key: value for key, (value, _) in self._group(group).items()})

    async def lives(self, group: str) -> dict[str, float]:
        """How many seconds are left to those keys of the group that have a life."""
        ends = sorted((key.decode(), end) for key, (_, end) in self._group(group).items())
        return {key: end - self._clock() for key, end in ends if end < math.inf}

    async def groups(self) -> list[str]:
        """The names of the groups that hold something."""
        return sorted(name.decode() for name in self._groups if self._group(name.decode()))

    async def clear(self, group: str) -> None:
        """Remove the group with all that it holds."""
        for key in await self.items(group):
            self._put(group, key, None, math.inf)
        self._groups.pop(encoded_name(group), None)

    def _group(self, group: str) -> dict[bytes, tuple[bytes, float]]:
        """What the group holds and has not expired."""
        held = self._groups.get(encoded_name(group), {})
        now = self._clock()
        return {key: entry for key, entry in held.items() if entry[1] > now}

    def _held(self, group: str, key: str) -> tuple[bytes | None, float]:
        return self._group(group).get(encoded_name(key), (None, math.inf))

    def _put(self, group: str, key: str, encoded: bytes | None, end: float) -> None:
        held, name = self._group(group), encoded_name(key)
        told = told_of_state(self._teller, group, key, encoded)
        found, _ = held.pop(name, (None, 0.0))
        if encoded is not None:
            held[name] = (encoded, end)
        self._groups[encoded_name(group)] = held
        if told and self._start and (found is not None or encoded is not None):
            body = change_body(group, key, found, encoded, told.limit_bytes)
            start_each(told, str(key), body, self._start)

    def _end(self, ttl_seconds: float | None) -> float:
        life = milliseconds(ttl_seconds)
        return self._clock() + int(life) / 1000 if life else math.inf
