"""How full the queues are, how fast they fill and empty, and how long the oldest message waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
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
from motia_celery.errors import BrokerUnavailableError, StoreUnavailableError
from motia_celery.plan.topology import QueuePlan, Topology, partition_names
from motia_celery.settings import Settings
from motia_celery.stores.depths import Waiting, read_waiting
from motia_celery.stores.metrics import MetricStore
from motia_celery.stores.partitions import PartitionCounts
from motia_celery.stores.redis import SyncClient, connect_briefly
from motia_celery.stores.traffic import Traffic, read_traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """A queue with its partitions: messages that nobody has taken, and who takes them.

    ``consumers`` is None on Redis, which does not know them. A queue that is not there has
    ``exists`` False; on Redis an empty queue is none, and counts as there. The rest is None where
    it is not known: how long the oldest message has waited, at most so long where
    ``oldest_is_bound``; and how many messages came, and runs began, per second of late.
    """

    ready: int
    consumers: int | None = None
    exists: bool = True
    oldest_seconds: float | None = None
    oldest_is_bound: bool = False
    sent_per_second: float | None = None
    begun_per_second: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Depths:
    """What every queue holds now: those of the Steps, by their names, and the dead letters."""

    steps: Mapping[str, Depth]
    dead_letters: Depth


class DepthReader:
    """Looks at one app's queues, on connections that it keeps. It blocks.

    RabbitMQ tells how many messages wait, and nothing of them: taking one out to look at it would
    count as a delivery. How long the oldest waits follows from what was sent and begun.
    """

    def __init__(
        self, settings: Settings, topology: Topology, client: SyncClient | None = None
    ) -> None:
        self._settings = settings
        self._queues = topology.queues
        self._letters = topology.names.dead_letter_queue
        self._client = client or connect_briefly(settings, connections=1)
        self._partitions = PartitionCounts(self._client, settings.prefix)
        self._metrics = MetricStore(self._client, settings.prefix)
        self._connection: Connection | None = None
        self._turn = threading.Lock()

    def read(self) -> Depths:
        """The queues now. Where RabbitMQ is the broker, it is told without what Redis knows.

        Raises:
            BrokerUnavailableError: the broker does not answer.
            StoreUnavailableError: Redis, which is the broker, does not.
        """
        with self._turn:
            return self._of_rabbitmq() if self._settings.uses_rabbitmq else self._of_redis()

    def close(self) -> None:
        """Lets go of the connection to the broker."""
        with self._turn:
            self._disconnect()

    def _of_redis(self) -> Depths:
        counts = self._partitions.read()
        wanted = {queue.name: counts.get(queue.name, 0) for queue in self._queues}
        found = read_waiting(self._client, self._settings.prefix, {**wanted, self._letters: 0})
        depths = {queue.step: _waiting(found[queue.name]) for queue in self._queues}
        traffic = self._traffic({})
        return Depths(
            steps={step: _with_rates(depth, traffic[step]) for step, depth in depths.items()},
            dead_letters=Depth(ready=found[self._letters][0]),
        )

    def _of_rabbitmq(self) -> Depths:
        counts: Mapping[str, int] = {}
        with suppress(StoreUnavailableError):
            counts = self._partitions.read()
        depths = self._asked(counts)
        with suppress(StoreUnavailableError):
            return replace(depths, steps=self._with_ages(depths.steps))
        return depths

    def _with_ages(self, depths: Mapping[str, Depth]) -> Mapping[str, Depth]:
        self._metrics.saw_empty(step for step, depth in depths.items() if not depth.ready)
        traffic = self._traffic({step: depth.ready for step, depth in depths.items()})
        return {
            step: _with_age(_with_rates(depth, traffic[step]), traffic[step])
            for step, depth in depths.items()
        }

    def _traffic(self, waiting: Mapping[str, int]) -> Mapping[str, Traffic]:
        steps = {queue.step: waiting.get(queue.step, 0) for queue in self._queues}
        return read_traffic(self._client, self._settings.prefix, steps)

    def _asked(self, counts: Mapping[str, int]) -> Depths:
        if self._connection is not None:
            # It may have been closed since the last time: then one more is opened.
            with suppress(BrokerUnavailableError):
                return self._ask(self._connection, counts)
            self._disconnect()
        connection = open_connection(self._settings)
        with broker_errors(self._settings):
            connection.ensure_connection(max_retries=0, timeout=CHECK_TIMEOUT_SECONDS)
        self._connection = connection
        return self._ask(connection, counts)

    def _ask(self, connection: Connection, counts: Mapping[str, int]) -> Depths:
        with broker_errors(self._settings), named_faults(connection):
            with closing(_Questions(connection)) as questions:
                return Depths(
                    steps={q.step: questions.depth(_names(q, counts)) for q in self._queues},
                    dead_letters=questions.depth([self._letters]),
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

    def depth(self, names: Iterable[str]) -> Depth:
        """The depth of a queue, which is the first of the names, with its partitions."""
        parts = [self._queue(name) for name in names]
        # Who serves a fifo Step consumes its own queue too, whichever partitions it has.
        return replace(parts[0], ready=sum(part.ready for part in parts))

    def _queue(self, name: str) -> Depth:
        try:
            self._channel = self._channel or self._connection.channel()
            answer = self._channel.queue_declare(name, passive=True)
        except NotFound:
            self._channel = None  # RabbitMQ has closed it
            return Depth(ready=0, consumers=0, exists=False)
        return Depth(ready=int(answer.message_count), consumers=int(answer.consumer_count))


def _names(queue: QueuePlan, counts: Mapping[str, int]) -> list[str]:
    count = counts.get(queue.name, queue.partitions) if queue.partitions else 0
    return [queue.name, *partition_names(queue.name, count)]


def _with_rates(depth: Depth, traffic: Traffic) -> Depth:
    return replace(
        depth,
        sent_per_second=traffic.sent_per_second,
        begun_per_second=traffic.begun_per_second,
    )


def _with_age(depth: Depth, traffic: Traffic) -> Depth:
    """The depth with how long its oldest message has waited, as far as that is known."""
    if not depth.ready:
        return replace(depth, oldest_seconds=0.0)
    since = traffic.oldest(depth.ready)
    if since is None:
        return depth
    age = max(0.0, time.time() - since.ms / 1000)
    return replace(depth, oldest_seconds=age, oldest_is_bound=since.is_bound)


def _waiting(waiting: Waiting) -> Depth:
    count, first = waiting
    return Depth(ready=count, oldest_seconds=0.0 if first is None else _age(first))


def _age(payload: bytes) -> float | None:
    """How long ago a message was sent, as it says itself."""
    with suppress(orjson.JSONDecodeError, TypeError, KeyError, ValueError):
        sent = float(orjson.loads(payload)["properties"]["timestamp"])
        return max(0.0, time.time() - sent)
    return None
