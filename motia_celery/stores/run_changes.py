"""Listening to records: which runs change, and the lines that are logged, as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from redis.exceptions import RedisError

from motia_celery.model.record import LogLine
from motia_celery.stores.redis import connect
from motia_celery.stores.runs import read_lines
from motia_celery.stores.subscription import published

if TYPE_CHECKING:
    from motia_celery.settings import Settings
    from motia_celery.stores.redis import AsyncClient

#: Past so many runs or lines at once, they are not told one by one.
MOST = 1000
#: What comes within so long is told together: most runs begin and end in it.
_GATHER_SECONDS = 0.2
_FLOOD_SECONDS = 2.0
_WAIT_MS = 2000
_PAUSE_SECONDS = 1.0


@dataclass(slots=True)
class Changed:
    """What changed: runs by their ids, and new lines, the oldest first."""

    ids: dict[str, None] = field(default_factory=dict)
    lines: list[LogLine] = field(default_factory=list)


async def run_changes(settings: Settings) -> AsyncGenerator[Changed | None, None]:
    """What changes from the first None on, for ever; it has connections of its own while it runs.

    Another None follows each time that something may have been missed: Redis was away, or more
    changed than can be told.
    """
    client = connect(settings)
    told = _Told()
    hearing = [
        asyncio.create_task(_hear_runs(client, f"{settings.prefix}:runs:changed", told)),
        asyncio.create_task(_hear_lines(client, f"{settings.prefix}:logs", told)),
    ]
    try:
        while True:
            await told.wait(hearing)
            is_flood, changed = told.take()
            yield None if is_flood else changed
            await asyncio.sleep(_FLOOD_SECONDS if is_flood else _GATHER_SECONDS)
    finally:
        for task in hearing:
            task.cancel()
        await asyncio.wait(hearing)
        await client.aclose()


class _Told:
    """What was heard and not taken yet."""

    def __init__(self) -> None:
        self._changed = Changed()
        self._is_missed = False
        self._some = asyncio.Event()

    def runs(self, ids: list[str]) -> None:
        self._changed.ids.update(dict.fromkeys(ids))
        self._mind()

    def lines(self, lines: list[LogLine]) -> None:
        self._changed.lines += lines
        self._mind()

    def missed(self) -> None:
        self._changed, self._is_missed = Changed(), True
        self._some.set()

    def _mind(self) -> None:
        if self._is_missed or max(len(self._changed.ids), len(self._changed.lines)) > MOST:
            self.missed()
        self._some.set()

    async def wait(self, hearing: list[asyncio.Task[None]]) -> None:
        """Returns once there is something; raises what a task that hears raised."""
        some = asyncio.create_task(self._some.wait())
        try:
            await asyncio.wait({some, *hearing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            some.cancel()
        for task in hearing:
            if task.done():
                task.result()

    def take(self) -> tuple[bool, Changed]:
        taken = self._is_missed, self._changed
        self._changed, self._is_missed = Changed(), False
        self._some.clear()
        return taken


async def _hear_runs(client: AsyncClient, channel: str, told: _Told) -> None:
    async with aclosing(published(client, channel, "Changes of runs")) as messages:
        async for message in messages:
            if message is None:
                told.missed()
            else:
                told.runs([run["id"] for run in orjson.loads(message)])


async def _hear_lines(client: AsyncClient, name: str, told: _Told) -> None:
    after: str | bytes | None = None
    while True:
        try:
            after = await _last(client, name) if after is None else after
            answer: Any = await client.xread({name: after}, count=MOST, block=_WAIT_MS)
        except (RedisError, OSError):  # `_hear_runs` says so, and when it is back
            await asyncio.sleep(_PAUSE_SECONDS)
            continue
        if answer:
            entries = answer[0][1]
            after = entries[-1][0]
            told.lines(read_lines(entries))


async def _last(client: AsyncClient, name: str) -> str | bytes:
    raw: Any = await client.xrevrange(name, count=1)
    return raw[0][0] if raw else "0"
