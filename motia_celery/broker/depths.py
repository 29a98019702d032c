"""How much waits in each queue, as the broker counts it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import orjson
from amqp.exceptions import NotFound
from kombu import Connection

from motia_celery.broker.connection import checked_connection
from motia_celery.plan.topology import Names, QueuePlan, partition_names
from motia_celery.settings import Settings
from motia_celery.stores.depths import Waiting, read_waiting
from motia_celery.stores.partitions import PartitionCounts
from motia_celery.stores.redis import connect_sync


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """What waits in a queue and its partitions; None where that can not be known.

    ``messages`` is None where the queue is not there.
    """

    messages: int | None
    consumers: int | None = None
    oldest_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Depths:
    """The depth of each queue by its name, and the number of dead letters."""

    queues: Mapping[str, Depth]
    dead_letters: int


class DepthReader:
    """Reads the depths of one app's queues. It blocks, and is one thread's at a time."""

    def __init__(self, settings: Settings, queues: Iterable[QueuePlan]) -> None:
        self._settings = settings
        self._queues = tuple(queues)
        self._names = Names(settings.prefix)
        self._client = connect_sync(settings)

    def read(self) -> Depths:
        """The depths now.

        Raises:
            BrokerUnavailableError: the broker does not answer.
            StoreUnavailableError: Redis does not.
        """
        partitions = PartitionCounts(self._client, self._settings.prefix).read()
        counts = {queue.name: partitions.get(queue.name, 0) for queue in self._queues}
        if not self._settings.uses_rabbitmq:
            return self._in_redis(counts)
        with checked_connection(self._settings) as connection:
            dead = _declared(connection, self._names.dead_letter_queue)
            return Depths(
                queues={name: _depth(connection, name, count) for name, count in counts.items()},
                dead_letters=dead.messages or 0,
            )

    def _in_redis(self, counts: Mapping[str, int]) -> Depths:
        letters = self._names.dead_letter_queue
        found = read_waiting(self._client, self._settings.prefix, {**counts, letters: 0})
        return Depths(
            queues={name: _waiting(found[name]) for name in counts},
            dead_letters=found[letters][0],
        )


def _depth(connection: Connection, queue: str, partitions: int) -> Depth:
    found = [_declared(connection, name) for name in (queue, *partition_names(queue, partitions))]
    there = [depth for depth in found if depth.messages is not None]
    if not there:
        return Depth(messages=None)
    return Depth(
        messages=sum(depth.messages or 0 for depth in there),
        consumers=max(depth.consumers or 0 for depth in there),
    )


def _declared(connection: Connection, queue: str) -> Depth:
    # A refused question closes its channel, so each gets one of its own.
    with suppress(NotFound), connection.channel() as channel:
        answer = channel.queue_declare(queue, passive=True)
        return Depth(messages=answer.message_count, consumers=answer.consumer_count)
    return Depth(messages=None)


def _waiting(waiting: Waiting) -> Depth:
    count, first = waiting
    return Depth(messages=count, oldest_seconds=None if first is None else _age(first))


def _age(payload: bytes) -> float | None:
    """How long ago a message was sent, as it says itself."""
    with suppress(orjson.JSONDecodeError, TypeError, KeyError, ValueError):
        sent = float(orjson.loads(payload)["properties"]["timestamp"])
        return max(0.0, time.time() - sent)
    return None
