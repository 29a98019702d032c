"""How much waits in each queue, as the broker counts it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

import orjson
from amqp.exceptions import NotFound
from kombu import Connection

from motia_celery.broker.connection import (
    CHECK_TIMEOUT_SECONDS,
    broker_errors,
    named_faults,
    open_connection,
)
from motia_celery.errors import BrokerUnavailableError
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
    """Reads the depths of one app's queues, on a connection that it keeps. It blocks."""

    def __init__(self, settings: Settings, queues: Iterable[QueuePlan]) -> None:
        self._settings = settings
        self._queues = tuple(queues)
        self._letters = Names(settings.prefix).dead_letter_queue
        self._client = connect_sync(settings)
        self._connection: Connection | None = None
        self._turn = threading.Lock()

    def read(self) -> Depths:
        """The depths now.

        Raises:
            BrokerUnavailableError: the broker does not answer.
            StoreUnavailableError: Redis does not.
        """
        partitions = PartitionCounts(self._client, self._settings.prefix).read()
        counts = {queue.name: partitions.get(queue.name, 0) for queue in self._queues}
        with self._turn:
            return (
                self._in_rabbitmq(counts)
                if self._settings.uses_rabbitmq
                else self._in_redis(counts)
            )

    def close(self) -> None:
        """Lets go of the connection."""
        with self._turn:
            self._disconnect()

    def _in_redis(self, counts: Mapping[str, int]) -> Depths:
        found = read_waiting(self._client, self._settings.prefix, {**counts, self._letters: 0})
        return Depths(
            queues={name: _waiting(found[name]) for name in counts},
            dead_letters=found[self._letters][0],
        )

    def _in_rabbitmq(self, counts: Mapping[str, int]) -> Depths:
        if self._connection is not None:
            # It may have been closed since the last time: then one more is opened.
            with suppress(BrokerUnavailableError):
                return self._asked(self._connection, counts)
            self._disconnect()
        connection = open_connection(self._settings)
        with broker_errors(self._settings):
            connection.ensure_connection(max_retries=0, timeout=CHECK_TIMEOUT_SECONDS)
        self._connection = connection
        return self._asked(connection, counts)

    def _asked(self, connection: Connection, counts: Mapping[str, int]) -> Depths:
        with broker_errors(self._settings), named_faults(connection):
            with closing(_Questions(connection)) as questions:
                return Depths(
                    queues={name: questions.depth(name, count) for name, count in counts.items()},
                    dead_letters=questions.queue(self._letters).messages or 0,
                )

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                connection.collect(CHECK_TIMEOUT_SECONDS)


class _Questions:
    """Asks for queues on one channel, and takes another where a question closed it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._channel: Any = None

    def close(self) -> None:
        """Closes the channel."""
        if self._channel is not None:
            self._channel.close()

    def depth(self, queue: str, partitions: int) -> Depth:
        """The depth of a queue with its partitions."""
        found = [self.queue(name) for name in (queue, *partition_names(queue, partitions))]
        there = [depth for depth in found if depth.messages is not None]
        if not there:
            return Depth(messages=None)
        return Depth(
            messages=sum(depth.messages or 0 for depth in there),
            consumers=max(depth.consumers or 0 for depth in there),
        )

    def queue(self, name: str) -> Depth:
        """The depth of one queue."""
        try:
            self._channel = self._channel or self._connection.channel()
            answer = self._channel.queue_declare(name, passive=True)
        except NotFound:
            self._channel = None  # RabbitMQ has closed it
            return Depth(messages=None)
        return Depth(messages=answer.message_count, consumers=answer.consumer_count)


def _waiting(waiting: Waiting) -> Depth:
    count, first = waiting
    return Depth(messages=count, oldest_seconds=None if first is None else _age(first))


def _age(payload: bytes) -> float | None:
    """How long ago a message was sent, as it says itself."""
    with suppress(orjson.JSONDecodeError, TypeError, KeyError, ValueError):
        sent = float(orjson.loads(payload)["properties"]["timestamp"])
        return max(0.0, time.time() - sent)
    return None
