"""Messages held back until they are due, in Redis and not in any worker's memory.

For brokers without delayed delivery. Whoever publishes what is due claims it for a while,
publishes it, and says so; if it dies in between, the claim runs out and another one gets it.
So a message may be published twice, but never lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from motia_celery.stores.redis import reaching

if TYPE_CHECKING:
    import redis

# KEYS: due times, payloads. ARGV: now, end of the claim, limit.
_CLAIM = """
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
local claimed = {}
for _, id in ipairs(due) do
  local payload = redis.call('HGET', KEYS[2], id)
  if payload then
    redis.call('ZADD', KEYS[1], ARGV[2], id)
    claimed[#claimed + 1] = id
    claimed[#claimed + 1] = payload
  else
    redis.call('ZREM', KEYS[1], id)
  end
end
return claimed
"""

# KEYS: due times, payloads. ARGV: id, end of the claim ('' for any).
_DONE = """
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score then return 0 end
if ARGV[2] ~= '' and tonumber(score) ~= tonumber(ARGV[2]) then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
"""


class DelayedMessages:
    """The held messages of one prefix. Times are seconds since 1970, on the callers' clock.

    Every method raises ``StoreUnavailableError`` when Redis does not answer.
    """

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._due = f"{prefix}:delayed"
        self._payloads = f"{prefix}:delayed:payload"
        self._claim = client.register_script(_CLAIM)
        self._done = client.register_script(_DONE)
        self._claims: dict[str, str] = {}

    def add(self, member_id: str, payload: bytes, due: float) -> None:
        """Hold ``payload`` until ``due``. The same id again replaces both."""
        with reaching(self._client), self._client.pipeline(transaction=True) as pipe:
            pipe.hset(self._payloads, member_id, payload)
            pipe.zadd(self._due, {member_id: due})
            pipe.execute()

    def claim(self, now: float, lease_seconds: float, limit: int) -> list[tuple[str, bytes]]:
        """Up to ``limit`` messages that are due, earliest first, each as id and payload.

        They are the caller's for ``lease_seconds``; those not ``done`` by then are due again.
        """
        lease = repr(float(now + lease_seconds))
        with reaching(self._client):
            flat: list[bytes] = self._claim(
                keys=[self._due, self._payloads], args=[repr(float(now)), lease, limit]
            )
        claimed = [
            (member.decode(), payload)
            for member, payload in zip(flat[::2], flat[1::2], strict=True)
        ]
        self._claims.update((member, lease) for member, _ in claimed)
        return claimed

    def done(self, member_id: str) -> None:
        """Forget a message that was claimed here and published.

        One that was added again meanwhile, or claimed by another, stays. An id that was not
        claimed here is forgotten whatever its state.
        """
        lease = self._claims.pop(member_id, "")
        with reaching(self._client):
            self._done(keys=[self._due, self._payloads], args=[member_id, lease])

    def next_due(self) -> float | None:
        """When the earliest message is due, or its claim runs out; None when none is held."""
        with reaching(self._client):
            first = self._client.zrange(self._due, 0, 0, withscores=True)
        return float(first[0][1]) if first else None

    def count(self) -> int:
        """How many messages are held, claimed ones included."""
        with reaching(self._client):
            held = self._client.zcard(self._due)
        return int(held)
