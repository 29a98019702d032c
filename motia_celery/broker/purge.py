"""Emptying queues."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kombu import Connection

from motia_celery.broker.connection import broker_errors, open_connection, speaks_amqp
from motia_celery.broker.topology import queue_exists
from motia_celery.plan.topology import partition_names
from motia_celery.settings import Settings
from motia_celery.stores.partitions import PartitionCounts


def purge(settings: Settings, queues: Iterable[str], counts: PartitionCounts) -> int:
    """Drops what waits in these queues and their partitions, and gives the number of messages.

    What a worker holds already is not reached.

    Raises:
        BrokerUnavailableError: the broker does not answer.
    """
    partitions = counts.read()
    with broker_errors(settings), open_connection(settings) as connection:
        connection.ensure_connection(max_retries=2)
        return sum(
            dropped
            for queue in queues
            for dropped in _purged(connection, queue, counts, partitions.get(queue, 0))
        )


def _purged(
    connection: Connection, queue: str, counts: PartitionCounts, partitions: int
) -> Iterator[int]:
    # The queue first: what it holds could else come into a partition that was emptied.
    names = [queue]
    if speaks_amqp(connection):
        names += [n for n in partition_names(queue, partitions) if queue_exists(connection, n)]
    with connection.channel() as channel:
        for name in names:
            yield int(channel.queue_purge(name) or 0)
    if partitions and not speaks_amqp(connection):
        yield counts.empty(queue, partitions)
