"""Listening to state: which keys change, whoever changes them, as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import orjson

from motia_celery.stores.redis import connect
from motia_celery.stores.subscription import published

if TYPE_CHECKING:
    from motia_celery.settings import Settings
    from motia_celery.stores.redis import AsyncClient

Kind = Literal["set", "delete", "clear", "expire"]

#: Past so many keys at once, their groups are told, and past so many groups that something changed.
MOST: Final = 200
#: What comes within so long is told together, each key once.
_GATHER_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class StateChange:
    """A key that changed; without a ``key`` all of the group, or too much of it to tell."""

    kind: Kind
    group: str
    key: str | None = None


async def state_changes(
    settings: Settings,
) -> AsyncGenerator[tuple[StateChange, ...] | None, None]:
    """What changes from the first None on, for ever; it has a connection of its own.

    Another None follows each time that something may have been missed: Redis was away, or more
    changed than can be told.
    """
    client, told = connect(settings), _Told()
    hearing = asyncio.create_task(_hear(client, f"{settings.prefix}:state-groups:changed", told))
    try:
        while True:
            some = asyncio.create_task(told.some.wait())
            await asyncio.wait({some, hearing}, return_when=asyncio.FIRST_COMPLETED)
            some.cancel()
            if hearing.done():
                hearing.result()
            yield told.take()
            await asyncio.sleep(_GATHER_SECONDS)
    finally:
        hearing.cancel()
        await asyncio.wait([hearing])
        await client.aclose()


class _Told:
    """What was heard and not taken yet: the last change of each key."""

    def __init__(self) -> None:
        self.some = asyncio.Event()
        self._changes: dict[tuple[str, str | None], StateChange] | None = {}

    def add(self, change: StateChange) -> None:
        """Keeps the change; one of a whole group stands for those of its keys before."""
        if self._changes is not None:
            if change.key is None:
                self._forget(change.group)
            # Behind the others, also where it was told of before.
            self._changes.pop((change.group, change.key), None)
            self._changes[change.group, change.key] = change
            self._bound()
        self.some.set()

    def missed(self) -> None:
        """Something was not heard."""
        self._changes = None
        self.some.set()

    def take(self) -> tuple[StateChange, ...] | None:
        """The changes; None where some are not known."""
        taken, self._changes = self._changes, {}
        self.some.clear()
        return None if taken is None else tuple(taken.values())

    def _forget(self, group: str) -> None:
        assert self._changes is not None
        for place in [place for place in self._changes if place[0] == group]:
            del self._changes[place]

    def _bound(self) -> None:
        if self._changes is None or len(self._changes) <= MOST:
            return
        whole: dict[tuple[str, str | None], StateChange] = {
            (group, None): StateChange("expire", group) for group, _ in self._changes
        }
        self._changes = whole if len(whole) <= MOST // 2 else None


async def _hear(client: AsyncClient, channel: str, told: _Told) -> None:
    async with aclosing(published(client, channel, "Changes of state")) as messages:
        async for message in messages:
            if message is None:
                told.missed()
            else:
                told.add(StateChange(*orjson.loads(message)))
