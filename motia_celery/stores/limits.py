"""Limits that count in all processes together: places of a Step, and rates.

Redis's own clock decides, so that no process needs to agree with another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from motia_celery.stores.redis import reaching

if TYPE_CHECKING:
    from collections.abc import Sequence

    import redis.asyncio

    from motia_celery.model.step import Rate

_NOW = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
"""

# KEYS: the places. ARGV: limit, holder, lease seconds.
_TAKE = (
    _NOW
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.6f', now))
if not redis.call('ZSCORE', KEYS[1], ARGV[2])
   and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], string.format('%.6f', now + tonumber(ARGV[3])), ARGV[2])
redis.call('PEXPIRE', KEYS[1], math.ceil(tonumber(ARGV[3]) * 2000))
return 1
"""
)

# KEYS: a rate's next free moment. ARGV: seconds between two runs, the longest wait that is booked.
_BOOK = (
    _NOW
    + """
local free = tonumber(redis.call('GET', KEYS[1]) or '0')
if free < now then free = now end
local wait = free - now
if wait > tonumber(ARGV[2]) then return string.format('-%.6f', wait) end
local following = free + tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%.6f', following),
  'PX', math.ceil((following - now) * 1000) + 1000)
return string.format('%.6f', wait)
"""
)

# KEYS: the places. ARGV: lease seconds, holders.
_RENEW = (
    _NOW
    + """
local until_ = string.format('%.6f', now + tonumber(ARGV[1]))
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'XX', until_, ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], math.ceil(tonumber(ARGV[1]) * 2000))
"""
)


class Limits:
    """The limits of one prefix, for one event loop.

    Every method raises ``StoreUnavailableError`` when Redis does not answer.
    """

    def __init__(self, client: redis.asyncio.Redis, prefix: str) -> None:
        self._client = client
        self._prefix = prefix
        self._take = client.register_script(_TAKE)
        self._book = client.register_script(_BOOK)
        self._renew = client.register_script(_RENEW)

    async def take(self, name: str, limit: int, holder: str, lease_seconds: float) -> bool:
        """Takes one of ``limit`` places, for ``lease_seconds`` unless renewed; False if all are
        taken. A holder that has one already keeps it.
        """
        with reaching(self._client):
            taken = await self._take(keys=[self._places(name)], args=[limit, holder, lease_seconds])
        return bool(taken)

    async def renew(self, name: str, holders: Sequence[str], lease_seconds: float) -> None:
        """Keeps places for another ``lease_seconds``."""
        with reaching(self._client):
            await self._renew(keys=[self._places(name)], args=[lease_seconds, *holders])

    async def release(self, name: str, holder: str) -> None:
        """Gives a place back."""
        with reaching(self._client):
            await self._client.zrem(self._places(name), holder)

    async def book(self, name: str, rate: Rate, longest_seconds: float) -> float:
        """Books the next run that the rate allows, and gives the seconds until then.

        Nothing is booked if that is longer than ``longest_seconds``; the result is then the wait,
        negative. Runs are spread evenly, as Celery's rate limit does for one worker.
        """
        spacing = rate.seconds / rate.count
        with reaching(self._client):
            wait = await self._book(
                keys=[f"{self._prefix}:rate:{name}"], args=[spacing, longest_seconds]
            )
        return float(wait)

    def _places(self, name: str) -> str:
        return f"{self._prefix}:places:{name}"
