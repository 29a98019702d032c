"""The outbox: events that are stored, in one step with changes of state, before they are sent.

A Redis stream in the order of writing. One relay at a time sends what is in it, and takes out
what the broker has confirmed; when its process dies, another takes over and sends again, as the
same events, what was under way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from motia_celery.stores.redis import reaching

if TYPE_CHECKING:
    import redis
    import redis.asyncio

    from motia_celery.model.transaction import StateChange
    from motia_celery.stores.state import RedisState

# KEYS: who leads. ARGV: the relay, lease in milliseconds.
_LEAD = """
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

# KEYS: who leads. ARGV: the relay.
_RESIGN = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event to be sent; those of one emitter keep their order.

    ``body`` is apart where a change of state or of a stream is the event.
    """

    emitter: str
    payload: bytes
    body: bytes | None = None


class Outbox:
    """The outbox of one prefix, for those who write into it from one event loop.

    Every method raises ``StoreUnavailableError`` when Redis does not answer.
    """

    def __init__(self, client: redis.asyncio.Redis, prefix: str, state: RedisState) -> None:
        self._client = client
        self._entries = outbox_name(prefix)
        self._state = state

    async def write(self, changes: Iterable[StateChange], entries: Iterable[Entry]) -> None:
        """Makes the changes and stores the events: all of it, or nothing.

        Raises:
            StateValueError: a value has no JSON form.
        """
        async with self._client.pipeline(transaction=True) as pipe:
            for change in changes:
                await self._state.change_in(
                    pipe, change.group, change.key, change.value, change.ttl_seconds, change.told
                )
            for entry in entries:
                pipe.xadd(self._entries, {"emitter": entry.emitter, "payload": entry.payload})
            with reaching(self._client):
                await pipe.execute()


class OutboxEntries:
    """The outbox of one prefix, for a relay's thread.

    Every method raises ``StoreUnavailableError`` when Redis does not answer.
    """

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._entries = outbox_name(prefix)
        self._leader = f"{prefix}:outbox:leader"
        self._lead = client.register_script(_LEAD)
        self._resign = client.register_script(_RESIGN)

    def lead(self, relay: str, lease_seconds: float) -> bool:
        """Whether the relay may send: it leads for ``lease_seconds`` unless it asks again."""
        arguments: list[str | int] = [relay, round(lease_seconds * 1000)]
        with reaching(self._client):
            return bool(self._lead(keys=[self._leader], args=arguments))

    def resign(self, relay: str) -> None:
        """Leaves the lead to another."""
        with reaching(self._client):
            self._resign(keys=[self._leader], args=[relay])

    def read(self, after: str, limit: int, wait_seconds: float) -> list[tuple[str, Entry]]:
        """The entries after the one with this id (``0``: from the first), with their ids.

        Waits for the first one to come.
        """
        with reaching(self._client):
            found: Any = self._client.xread(
                {self._entries: after}, count=limit, block=max(1, round(wait_seconds * 1000))
            )
        if not found:
            return []
        ((_, entries),) = found
        return [(id_.decode(), _entry(fields)) for id_, fields in entries]

    def remove(self, ids: Sequence[str]) -> None:
        """Takes out entries that were sent."""
        if ids:
            with reaching(self._client):
                self._client.xdel(self._entries, *ids)

    def count(self) -> int:
        """How many entries wait."""
        with reaching(self._client):
            return int(self._client.xlen(self._entries))


def _entry(fields: Any) -> Entry:
    return Entry(fields[b"emitter"].decode(), fields[b"payload"], fields.get(b"body"))


def outbox_name(prefix: str) -> str:
    """The key of the outbox."""
    return f"{prefix}:outbox"
