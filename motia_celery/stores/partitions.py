"""The partitions of fifo Steps: how many each has, and, where Redis is the broker, their messages.

RabbitMQ gives a partition to one consumer at a time by itself. In Redis a partition is a list, and
the process that runs its first message holds a lease on it: renewed while the run lasts, and run
out a few seconds after the process was killed. Only the holder can take a message off.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from motia_celery.plan.topology import partition_name, partition_names
from motia_celery.stores.redis import reaching

if TYPE_CHECKING:
    from collections.abc import Iterable

    import redis

#: How long a killed process keeps others from its partitions.
LEASE_SECONDS = 10
#: The phases of moving a queue's messages to other partitions.
GATHERING, SPREADING = "gathering", "spreading"
#: Messages that one call puts in their partitions.
_ROUTED = 200

# The place of a message, as `partition_of` has it; without a group any will do, always the same.
_PLACE = """
local function place(payload, count)
  local known, message = pcall(cjson.decode, payload)
  local group = nil
  if known and type(message) == 'table' then
    local headers = type(message.headers) == 'table' and message.headers or {}
    local properties = type(message.properties) == 'table' and message.properties or {}
    group = headers['motia-group']
    if type(group) == 'number' then group = string.format('%.0f', group) end
    if type(group) ~= 'string' or group == '' or #group > 255 then
      group = properties.message_id
    end
  end
  if type(group) ~= 'string' then group = payload end
  return tonumber(string.sub(redis.sha1hex(group), 1, 8), 16) % count
end
"""

# KEYS: queue, base of the partitions, live takers. ARGV: taker, now, lease in ms, partitions,
# limit of messages to route, and the partitions that the taker holds already.
_TAKE = (
    _PLACE
    + """
local count = tonumber(ARGV[4])
for _ = 1, tonumber(ARGV[5]) do
  local payload = redis.call('RPOP', KEYS[1])
  if not payload then break end
  redis.call('LPUSH', KEYS[2] .. ':' .. place(payload, count), payload)
end
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', tonumber(ARGV[2]) - tonumber(ARGV[3]) / 1000)
local room = math.ceil(count / redis.call('ZCARD', KEYS[3]))
local held, taken = {}, {}
for index = 6, #ARGV do
  held[tonumber(ARGV[index])] = true
  room = room - 1
end
local first = tonumber(string.sub(redis.sha1hex(ARGV[1]), 1, 8), 16)
for step = 0, count - 1 do
  if room <= 0 then break end
  local number = (first + step) % count
  local partition = KEYS[2] .. ':' .. number
  local payload = not held[number] and redis.call('LINDEX', partition, -1)
  if payload and redis.call('EXISTS', partition .. ':lease') == 0 then
    local token = ARGV[1] .. ':' .. redis.call('INCR', KEYS[2] .. ':tokens')
    redis.call('SET', partition .. ':lease', token, 'PX', ARGV[3])
    taken[#taken + 1] = number
    taken[#taken + 1] = token
    taken[#taken + 1] = redis.call('HINCRBY', KEYS[2] .. ':deliveries', number, 1)
    taken[#taken + 1] = payload
    room = room - 1
  end
end
return taken
"""
)

# KEYS: partition, its lease, deliveries. ARGV: token, number of the partition.
_FINISH = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('RPOP', KEYS[1])
redis.call('HDEL', KEYS[3], ARGV[2])
redis.call('DEL', KEYS[2])
return 1
"""

# KEYS: leases. ARGV: lease in ms, and the token of each. Gives 1 for each that still stands.
_RENEW = """
local held = {}
for index, lease in ipairs(KEYS) do
  if redis.call('GET', lease) == ARGV[index + 1] then
    redis.call('PEXPIRE', lease, ARGV[1])
    held[index] = 1
  else
    held[index] = 0
  end
end
return held
"""

_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"

# KEYS: base of the partitions, queue, counts. ARGV: name, partitions before, wanted ones (0 for
# a queue that is no fifo one any more), the time before which a taker was last seen that is gone.
# Gives -1 while there are takers, or leases of ones that were killed; else how many it moved.
_REPARTITION = (
    _PLACE
    + """
local before, wanted = tonumber(ARGV[2]), tonumber(ARGV[3])
if redis.call('ZCOUNT', KEYS[1] .. ':takers', ARGV[4], '+inf') > 0 then return -1 end
for number = 0, before - 1 do
  if redis.call('EXISTS', KEYS[1] .. ':' .. number .. ':lease') == 1 then return -1 end
end
local payloads = {}
for number = 0, before - 1 do
  local partition = KEYS[1] .. ':' .. number
  for _, payload in ipairs(redis.call('LRANGE', partition, 0, -1)) do
    payloads[#payloads + 1] = payload
  end
  redis.call('DEL', partition)
end
redis.call('DEL', KEYS[1] .. ':deliveries')
if wanted == 0 then
  for index = 1, #payloads do redis.call('RPUSH', KEYS[2], payloads[index]) end
  redis.call('HDEL', KEYS[3], ARGV[1])
else
  for index = #payloads, 1, -1 do
    redis.call('LPUSH', KEYS[1] .. ':' .. place(payloads[index], wanted), payloads[index])
  end
  redis.call('HSET', KEYS[3], ARGV[1], wanted)
end
return #payloads
"""
)

# KEYS: partitions. Gives the number of messages that were dropped.
_EMPTY = """
local dropped = 0
for _, partition in ipairs(KEYS) do
  local kept = redis.call('EXISTS', partition .. ':lease')
  local length = redis.call('LLEN', partition)
  if length > kept then
    dropped = dropped + length - kept
    if kept == 1 then redis.call('LTRIM', partition, -1, -1) else redis.call('DEL', partition) end
  end
end
return dropped
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """The first message of a partition, leased by ``token``; ``deliveries`` counts from 1."""

    number: int
    token: bytes
    deliveries: int
    payload: bytes


class PartitionCounts:
    """How many partitions each queue has, whatever its Step's config says by now.

    Were it read from the config, a rolling deploy of another number would have two processes
    put the same group in two places. ``release`` changes it.
    """

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._prefix = prefix
        self._counts = f"{prefix}:partitions"
        self._moving = f"{prefix}:partitions:moving"

    def settle(self, queue: str, wanted: int) -> int:
        """The number in force; ``wanted`` becomes it where there is none yet."""
        with reaching(self._client):
            self._client.hsetnx(self._counts, queue, str(wanted))
            return int(self._client.hget(self._counts, queue) or wanted)

    def read(self) -> dict[str, int]:
        """The numbers in force, by the queue's name."""
        with reaching(self._client):
            found: dict[Any, Any] = self._client.hgetall(self._counts)
        return {name.decode(): int(count) for name, count in found.items()}

    def begin(self, queue: str) -> None:
        """Lets no worker serve the queue, whose messages are being gathered."""
        with reaching(self._client):
            self._client.hset(self._moving, queue, GATHERING)

    def put_in_force(self, queue: str, count: int) -> None:
        """Puts another number in force; the messages are still to be spread as it says."""
        with reaching(self._client), self._client.pipeline(transaction=True) as pipe:
            pipe.hset(self._counts, queue, str(count))
            pipe.hset(self._moving, queue, SPREADING)
            pipe.execute()

    def end(self, queue: str) -> None:
        """Every message is where the number in force says."""
        with reaching(self._client):
            self._client.hdel(self._moving, queue)

    def phase(self, queue: str) -> str | None:
        """Where a move of this queue's messages was left; None where there is none."""
        with reaching(self._client):
            phase: Any = self._client.hget(self._moving, queue)
        return phase.decode() if phase else None

    def repartition(self, queue: str, before: int, wanted: int) -> int | None:
        """Where Redis is the broker: puts the messages where ``wanted`` partitions have them.

        All at once; with 0 partitions they go back to the head of the queue. Gives how many there
        were; None, with nothing done, while a worker serves the queue.
        """
        script = self._client.register_script(_REPARTITION)
        base, source = f"{self._prefix}:fifo:{queue}", _list_of(self._prefix, queue)
        gone = time.time() - LEASE_SECONDS
        with reaching(self._client):
            moved = int(
                script(keys=[base, source, self._counts], args=[queue, before, wanted, gone])
            )
        return None if moved < 0 else moved

    def empty(self, queue: str, count: int) -> int:
        """Where Redis is the broker: drops what waits, but for the messages that are run."""
        base = f"{self._prefix}:fifo:{queue}"
        script = self._client.register_script(_EMPTY)
        with reaching(self._client):
            return int(script(keys=list(partition_names(base, count)), args=[]))

    def forget(self, queue: str) -> None:
        """Forgets a queue that has no partitions any more."""
        with reaching(self._client), self._client.pipeline(transaction=True) as pipe:
            pipe.hdel(self._counts, queue)
            pipe.hdel(self._moving, queue)
            pipe.execute()


class Takers:
    """The workers that serve a fifo queue on RabbitMQ, so that each knows its share."""

    def __init__(self, client: redis.Redis, prefix: str, queue: str, taker: str) -> None:
        self._client = client
        self._takers = f"{prefix}:fifo:{queue}:takers"
        self._taker = taker

    def meet(self, now: float, patience_seconds: float) -> list[str]:
        """Says that this one is there; gives all that said so lately, in the same order to each."""
        with reaching(self._client), self._client.pipeline(transaction=True) as pipe:
            pipe.zadd(self._takers, {self._taker: now})
            pipe.zremrangebyscore(self._takers, "-inf", now - patience_seconds)
            pipe.zrange(self._takers, 0, -1)
            found = pipe.execute()[-1]
        return sorted(taker.decode() for taker in found)

    def leave(self) -> None:
        """Takes no share any more."""
        with reaching(self._client):
            self._client.zrem(self._takers, self._taker)


class Partitions:
    """The partitions of one queue in Redis, for one taker: a process that runs their messages.

    Every method raises ``StoreUnavailableError`` when Redis does not answer.
    """

    def __init__(
        self, client: redis.Redis, prefix: str, queue: str, *, taker: str, count: int
    ) -> None:
        self._client = client
        self._base = f"{prefix}:fifo:{queue}"
        self._source = _list_of(prefix, queue)
        self._taker = taker
        self._count = count
        self._take = client.register_script(_TAKE)
        self._finish = client.register_script(_FINISH)
        self._renew = client.register_script(_RENEW)
        self._release = client.register_script(_RELEASE)

    def take(self, now: float, held: Iterable[int]) -> list[Taken]:
        """First messages of free partitions; with those ``held`` no more than the taker's share.

        What waits in the queue itself is put in its partitions first.
        """
        keys = [self._source, self._base, f"{self._base}:takers"]
        arguments: list[str | float] = [
            self._taker,
            now,
            LEASE_SECONDS * 1000,
            self._count,
            _ROUTED,
            *held,
        ]
        with reaching(self._client):
            flat = self._take(keys=keys, args=arguments)
        return [Taken(*flat[index : index + 4]) for index in range(0, len(flat), 4)]

    def finish(self, taken: Taken) -> bool:
        """Takes the message off, and frees its partition; False if it is another's by now."""
        partition = partition_name(self._base, taken.number)
        keys = [partition, self._lease(taken), f"{self._base}:deliveries"]
        with reaching(self._client):
            return bool(self._finish(keys=keys, args=[taken.token, taken.number]))

    def release(self, taken: Taken) -> None:
        """Frees the partition; the message stays the first one."""
        with reaching(self._client):
            self._release(keys=[self._lease(taken)], args=[taken.token])

    def renew(self, held: Iterable[Taken]) -> list[Taken]:
        """Prolongs these leases; gives those that were lost."""
        wanted = list(held)
        if not wanted:
            return []
        with reaching(self._client):
            kept = self._renew(
                keys=[self._lease(taken) for taken in wanted],
                args=[LEASE_SECONDS * 1000, *(taken.token for taken in wanted)],
            )
        return [taken for taken, stands in zip(wanted, kept, strict=True) if not stands]

    def leave(self) -> None:
        """Takes no part in sharing the partitions any more."""
        with reaching(self._client):
            self._client.zrem(f"{self._base}:takers", self._taker)

    def _lease(self, taken: Taken) -> str:
        return f"{partition_name(self._base, taken.number)}:lease"


def _list_of(prefix: str, queue: str) -> str:
    """Where kombu's transport keeps a queue's messages under the prefix that we give it."""
    return f"{prefix}:broker:{queue}"
