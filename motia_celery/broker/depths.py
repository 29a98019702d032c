"""How full the queues are, and who consumes them, as far as the broker tells without a plugin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from amqp.exceptions import NotFound
from kombu import Connection

from motia_celery.broker.connection import broker_errors, checked_connection, speaks_amqp
from motia_celery.plan.topology import QueuePlan, Topology, partition_names
from motia_celery.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """A queue with its partitions: messages that nobody has taken, and who takes them.

    ``consumers`` is None on Redis, which does not know them. A queue that is not there has
    ``exists`` False; on Redis an empty queue is none, and counts as there.
    """

    ready: int
    consumers: int | None = None
    exists: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Depths:
    """What every queue holds now: those of the Steps, by their names, and the dead letters."""

    steps: Mapping[str, Depth]
    dead_letters: Depth


def read_depths(settings: Settings, topology: Topology, partitions: Mapping[str, int]) -> Depths:
    """Looks at every queue; ``partitions`` says how many are in force, by the queue's name.

    Raises:
        BrokerUnavailableError: the broker does not answer.
    """
    with broker_errors(settings), checked_connection(settings) as connection:
        return Depths(
            steps={
                queue.step: _whole(connection, _names(connection, queue, partitions))
                for queue in topology.queues
            },
            dead_letters=_whole(connection, [topology.names.dead_letter_queue]),
        )


def _names(
    connection: Connection, queue: QueuePlan, partitions: Mapping[str, int]
) -> Iterable[str]:
    if not queue.partitions or not speaks_amqp(connection):
        return [queue.name]
    count = partitions.get(queue.name, queue.partitions)
    return [queue.name, *partition_names(queue.name, count)]


def _whole(connection: Connection, names: Iterable[str]) -> Depth:
    parts = list(_parts(connection, names))
    # Who serves a fifo Step consumes its own queue too, whichever partitions it has.
    own = parts[0]
    ready = sum(part.ready for part in parts)
    return Depth(ready=ready, consumers=own.consumers, exists=own.exists)


def _parts(connection: Connection, names: Iterable[str]) -> Iterator[Depth]:
    for name in names:
        yield _amqp(connection, name) if speaks_amqp(connection) else _redis(connection, name)


def _amqp(connection: Connection, name: str) -> Depth:
    try:
        # A missing queue closes the channel.
        with connection.channel() as channel:
            found = channel.queue_declare(name, passive=True)
    except NotFound:
        return Depth(ready=0, consumers=0, exists=False)
    return Depth(ready=int(found.message_count), consumers=int(found.consumer_count))


def _redis(connection: Connection, name: str) -> Depth:
    return Depth(ready=int(connection.default_channel._size(name)))
