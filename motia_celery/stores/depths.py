"""How much waits in each queue, where Redis is the broker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from motia_celery.plan.topology import partition_names
from motia_celery.stores.redis import reaching

if TYPE_CHECKING:
    import redis

#: A queue's number of messages, and the first of them where there is any.
Waiting = tuple[int, bytes | None]


def read_waiting(client: redis.Redis, prefix: str, queues: Mapping[str, int]) -> dict[str, Waiting]:
    """What waits in each queue and in so many partitions of it, in one round trip.

    Raises:
        StoreUnavailableError: Redis does not answer.
    """
    lists = {queue: tuple(_lists(prefix, queue, count)) for queue, count in queues.items()}
    with reaching(client), client.pipeline(transaction=False) as pipe:
        for names in lists.values():
            for name in names:
                pipe.llen(name)
                pipe.lindex(name, -1)
        answers = iter(pipe.execute())
    return {
        queue: _waiting([(next(answers), next(answers)) for _ in names])
        for queue, names in lists.items()
    }


def _lists(prefix: str, queue: str, partitions: int) -> Iterable[str]:
    yield f"{prefix}:broker:{queue}"
    yield from partition_names(f"{prefix}:fifo:{queue}", partitions)


def _waiting(lists: list[Waiting]) -> Waiting:
    # What is in a partition came before what is still in the queue.
    firsts = [first for _, first in reversed(lists) if first is not None]
    return sum(count for count, _ in lists), firsts[0] if firsts else None
