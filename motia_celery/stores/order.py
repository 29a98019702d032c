"""What keeps a group's runs in order beyond the broker.

Attempts: a failed run of a fifo Step is tried again from the same delivery, which says nothing of
it, so a killed worker would forget them. A fence: a worker that lost its broker runs on while the
broker already gives its message to another. And what has ended: a broker that was killed gives a
group's last messages once more, after newer ones were run.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from motia_celery.errors import StoreUnavailableError
from motia_celery.stores.redis import reaching

if TYPE_CHECKING:
    from motia_celery.stores.redis import AsyncClient

logger = logging.getLogger("motia_celery.worker")

ATTEMPT_SECONDS = 7 * 86400
FENCE_SECONDS = 10.0
#: How many successful runs of a group are known, and for how long.
FINISHED_KEPT = 200
FINISHED_SECONDS = 86400
_LOOK_SECONDS = 0.1

_KEEP = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_LEAVE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end"


class Order:
    """The order of groups under one prefix.

    ``fenced`` where the broker may give one message to two workers. Redis away costs no run:
    attempts count from the delivery's own, and the broker alone keeps order.
    """

    def __init__(self, client: AsyncClient, prefix: str, *, fenced: bool) -> None:
        self._client = client
        self._prefix = prefix
        self._fenced = fenced
        self._keep = client.register_script(_KEEP)
        self._leave = client.register_script(_LEAVE)

    async def remember(self, run_id: str, attempt: int) -> None:
        """Keeps which attempt of a run comes next."""
        with contextlib.suppress(StoreUnavailableError), reaching(self._client):
            await self._client.set(self._attempt(run_id), attempt, ex=ATTEMPT_SECONDS)

    async def recall(self, run_id: str) -> int:
        """The attempt that comes next; 1 where none is kept."""
        with contextlib.suppress(StoreUnavailableError), reaching(self._client):
            return int(await self._client.get(self._attempt(run_id)) or 1)
        return 1

    async def forget(self, run_id: str) -> None:
        """Has the run begin at its first attempt again, when it is replayed."""
        with contextlib.suppress(StoreUnavailableError), reaching(self._client):
            await self._client.delete(self._attempt(run_id))

    async def finish(self, group: str | None, run_id: str) -> None:
        """Keeps that a run has succeeded."""
        if group is None or not self._fenced:
            return
        key = self._finished(group)
        with contextlib.suppress(StoreUnavailableError), reaching(self._client):
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.lpush(key, run_id)
                pipe.ltrim(key, 0, FINISHED_KEPT - 1)
                pipe.expire(key, FINISHED_SECONDS)
                await pipe.execute()

    async def has_finished(self, group: str | None, run_id: str) -> bool:
        """Whether a run is known to have succeeded."""
        if group is None or not self._fenced:
            return False
        with contextlib.suppress(StoreUnavailableError), reaching(self._client):
            return run_id.encode() in await self._client.lrange(self._finished(group), 0, -1)
        return False

    @contextlib.asynccontextmanager
    async def alone(self, group: str | None) -> AsyncIterator[None]:
        """Enters once no other process is inside for this group. Any may who has no group.

        A process that stands still for longer than ``FENCE_SECONDS`` is given up.
        """
        if group is None or not self._fenced:
            yield
            return
        key, token = f"{self._prefix}:fence:{group}", uuid.uuid4().hex
        entered = await self._enter(key, token)
        keeper = asyncio.create_task(self._stay(key, token)) if entered else None
        try:
            yield
        finally:
            if keeper is not None:
                keeper.cancel()
                with contextlib.suppress(StoreUnavailableError), reaching(self._client):
                    await self._leave(keys=[key], args=[token])

    async def _enter(self, key: str, token: str) -> bool:
        try:
            while True:
                with reaching(self._client):
                    if await self._client.set(key, token, nx=True, px=int(FENCE_SECONDS * 1000)):
                        return True
                await asyncio.sleep(_LOOK_SECONDS)
        except StoreUnavailableError as error:
            logger.warning(
                "A group's run is not fenced: %s", error, extra={"action": "fence.absent"}
            )
            return False

    async def _stay(self, key: str, token: str) -> None:
        while True:
            await asyncio.sleep(FENCE_SECONDS / 3)
            with contextlib.suppress(StoreUnavailableError), reaching(self._client):
                await self._keep(keys=[key], args=[token, int(FENCE_SECONDS * 1000)])

    def _attempt(self, run_id: str) -> str:
        return f"{self._prefix}:attempt:{run_id}"

    def _finished(self, group: str) -> str:
        return f"{self._prefix}:finished:{group}"
