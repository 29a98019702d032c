"""Which idempotency keys were emitted: of the emits of one topic with one key, one is sent.

A key is pending until its event is confirmed, for whoever took it last; if that process dies, the
next one takes it, under the same event id. So an event may be published twice, as the same event,
but is never taken for sent when it was not.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from motia_celery.stores.redis import reaching

if TYPE_CHECKING:
    import redis.asyncio

# KEYS: the key's record. ARGV: a new event id, lease and window in milliseconds.
_CLAIM = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local found = redis.call('HMGET', KEYS[1], 'event', 'taken')
local event, taken = found[1], found[2]
if event and not taken then return {'sent', event} end
if event and tonumber(taken) > now then return {'busy', event} end
if not event then
  event = ARGV[1]
  redis.call('HSET', KEYS[1], 'event', event)
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
redis.call('HSET', KEYS[1], 'taken', string.format('%d', now + tonumber(ARGV[2])))
return {'yours', event}
"""

# KEYS: the key's record. ARGV: event id, window in milliseconds.
_CONFIRM = """
redis.call('HSET', KEYS[1], 'event', ARGV[1])
redis.call('HDEL', KEYS[1], 'taken')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

# KEYS: the key's record.
_RELEASE = """
if redis.call('HEXISTS', KEYS[1], 'taken') == 1 then redis.call('HSET', KEYS[1], 'taken', '0') end
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose turn it is to send, and the id of the event, which stays the same for all of them.

    ``busy``: somebody else is sending it.
    """

    state: Literal["yours", "busy", "sent"]
    event_id: str


class EmittedKeys:
    """The idempotency keys of one prefix, for one event loop; Redis's own clock decides.

    Every method raises ``StoreUnavailableError`` when Redis does not answer.
    """

    def __init__(self, client: redis.asyncio.Redis, prefix: str, window_seconds: float) -> None:
        self._client = client
        self._prefix = prefix
        self._window_ms = max(1, round(window_seconds * 1000))
        self._claim = client.register_script(_CLAIM)
        self._confirm = client.register_script(_CONFIRM)
        self._release = client.register_script(_RELEASE)

    async def claim(self, topic: str, key: str, event_id: str, lease_seconds: float) -> Claim:
        """Takes the key for ``lease_seconds``, with ``event_id`` if nobody had it before."""
        arguments: list[str | int] = [event_id, round(lease_seconds * 1000), self._window_ms]
        with reaching(self._client):
            state, event = await self._claim(keys=[self._record(topic, key)], args=arguments)
        return Claim(state.decode(), event.decode())

    async def confirm(self, topic: str, key: str, event_id: str) -> None:
        """The event was sent: from now on, for the window, the key is dropped."""
        with reaching(self._client):
            await self._confirm(keys=[self._record(topic, key)], args=[event_id, self._window_ms])

    async def release(self, topic: str, key: str) -> None:
        """The event was not sent, as far as is known: the next may try at once."""
        with reaching(self._client):
            await self._release(keys=[self._record(topic, key)], args=[])

    def _record(self, topic: str, key: str) -> str:
        digest = hashlib.sha256(f"{topic}\0{key}".encode()).hexdigest()
        return f"{self._prefix}:emitted:{digest}"
