"""Which runs have finished, and which are under way: for Steps with ``once``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from motia_celery.stores.redis import reaching

if TYPE_CHECKING:
    import redis.asyncio

Turn = Literal["yours", "busy", "finished"]

# KEYS: the run's record. ARGV: holder, lease in milliseconds.
_BEGIN = """
local found = redis.call('GET', KEYS[1])
if found == 'finished' then return 'finished' end
if found and found ~= ARGV[1] then return 'busy' end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 'yours'
"""

# KEYS: the run's record. ARGV: holder, lease in milliseconds.
_RENEW = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
"""

# KEYS: the run's record. ARGV: holder.
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


class FinishedRuns:
    """The runs of one prefix, for one event loop.

    A record holds `finished`, or who does the run at the moment. Every method raises
    ``StoreUnavailableError`` when Redis does not answer.
    """

    def __init__(self, client: redis.asyncio.Redis, prefix: str, keep_seconds: float) -> None:
        self._client = client
        self._prefix = prefix
        self._keep_ms = max(1, round(keep_seconds * 1000))
        self._begin = client.register_script(_BEGIN)
        self._renew = client.register_script(_RENEW)
        self._release = client.register_script(_RELEASE)

    async def begin(self, run_id: str, holder: str, lease_seconds: float) -> Turn:
        """Takes the run for ``lease_seconds``; or says that it has finished, or is another's."""
        arguments: list[str | int] = [holder, round(lease_seconds * 1000)]
        with reaching(self._client):
            turn: bytes = await self._begin(keys=[self._record(run_id)], args=arguments)
        return turn.decode()  # type: ignore[return-value]

    async def renew(self, run_id: str, holder: str, lease_seconds: float) -> None:
        """Keeps the run for another ``lease_seconds``."""
        arguments: list[str | int] = [holder, round(lease_seconds * 1000)]
        with reaching(self._client):
            await self._renew(keys=[self._record(run_id)], args=arguments)

    async def release(self, run_id: str, holder: str) -> None:
        """Gives the run back, undone."""
        with reaching(self._client):
            await self._release(keys=[self._record(run_id)], args=[holder])

    async def finish(self, run_id: str) -> None:
        """Marks the run as finished."""
        with reaching(self._client):
            await self._client.set(self._record(run_id), "finished", px=self._keep_ms)

    def _record(self, run_id: str) -> str:
        return f"{self._prefix}:once:{run_id}"
