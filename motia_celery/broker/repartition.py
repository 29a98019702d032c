"""The part of a release that brings the partitions of fifo Steps to the Plan.

A group has one place among eight partitions and another one among sixteen, so messages that wait
are moved before anyone uses the new number, and a worker that starts meanwhile refuses.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from amqp.exceptions import NotFound
from kombu import Connection, Queue

from motia_celery.broker.connection import speaks_amqp
from motia_celery.broker.queue import partition_queue
from motia_celery.broker.router import order_key
from motia_celery.broker.topology import (
    bring_to_plan,
    declare_queue,
    drain,
    move,
    queue_exists,
)
from motia_celery.plan.topology import (
    Names,
    Topology,
    partition_name,
    partition_names,
    partition_of,
)
from motia_celery.stores.partitions import SPREADING, PartitionCounts


def release_partitions(
    connection: Connection, topology: Topology, counts: PartitionCounts
) -> list[str]:
    """Gives each queue the partitions that the Plan wants; a line for each thing done.

    A queue that workers serve keeps those that it has.

    Raises:
        QueueConflictError: a partition must be replaced while workers consume from it.
    """
    amqp = speaks_amqp(connection)
    wanted = {queue.name: queue.partitions for queue in topology.queues}
    done: list[str] = []
    for name, before in counts.read().items():
        if not amqp:
            done.extend(_in_redis(counts, name, before, wanted.get(name, before)))
        elif name not in wanted:
            done.extend(_retire(connection, counts, name, before))
        elif wanted[name] != before or counts.phase(name):
            done.extend(_move(connection, topology.names, counts, name, before, wanted[name]))
    for name, count in wanted.items():
        if count:
            in_force = counts.settle(name, count)
            if amqp:
                done.extend(_declare(connection, topology.names, name, in_force))
    return done


def _declare(connection: Connection, names: Names, name: str, count: int) -> Iterator[str]:
    for partition in partition_names(name, count):
        yield from bring_to_plan(connection, partition_queue(partition, name, names))


def _in_redis(counts: PartitionCounts, name: str, before: int, wanted: int) -> Iterator[str]:
    if wanted == before:
        return
    moved = counts.repartition(name, before, wanted)
    yield _kept(name, before) if moved is None else _moved(name, before, wanted, moved)


def _move(
    connection: Connection,
    names: Names,
    counts: PartitionCounts,
    name: str,
    before: int,
    wanted: int,
) -> Iterator[str]:
    """Gathers what the old partitions hold, puts the new number in force, and spreads it.

    Killed at any point, the next release goes on from there.
    """
    phase, moved = counts.phase(name), 0
    if phase == SPREADING:
        moved = _spread(connection, names, counts, name, before)
    if phase != SPREADING or wanted != before:
        counts.begin(name)
        if _is_consumed(connection, name, before):
            if phase is None:
                counts.end(name)
            yield _kept(name, before)
            return
        moved = _gather(connection, name, before)
        if wanted:
            counts.put_in_force(name, wanted)
            _spread(connection, names, counts, name, wanted)
        else:
            drain(connection, _aside(name), name)
            counts.forget(name)
    yield _moved(name, before, wanted, moved)


def _aside(name: str) -> str:
    return f"{name}:moving"


def _gather(connection: Connection, name: str, count: int) -> int:
    """Moves what the partitions hold aside, and deletes them."""
    aside = Queue(_aside(name), durable=True, queue_arguments={"x-queue-type": "quorum"})
    declare_queue(connection, aside)
    return sum(
        drain(connection, partition, aside.name)
        for partition in partition_names(name, count)
        if queue_exists(connection, partition)
    )


def _spread(
    connection: Connection, names: Names, counts: PartitionCounts, name: str, count: int
) -> int:
    """Moves what waits aside to where it belongs now."""
    for partition in partition_names(name, count):
        declare_queue(connection, partition_queue(partition, name, names))

    def target(raw: Any) -> str:
        return partition_name(name, partition_of(order_key(raw), count))

    moved = 0
    if queue_exists(connection, _aside(name)):
        moved = move(connection, _aside(name), target)
        with connection.channel() as channel:
            channel.queue_delete(_aside(name))
    counts.end(name)
    return moved


def _is_consumed(connection: Connection, name: str, count: int) -> bool:
    return any(_state(connection, queue)[1] for queue in (name, *partition_names(name, count)))


def _state(connection: Connection, queue: str) -> tuple[int, int]:
    """How many messages are ready in a queue, and how many consumers it has."""
    with suppress(NotFound), connection.channel() as channel:
        found = channel.queue_declare(queue, passive=True)
        return found.message_count, found.consumer_count
    return 0, 0


def _retire(
    connection: Connection, counts: PartitionCounts, name: str, count: int
) -> Iterator[str]:
    """Deletes the partitions of a Step that is gone, once they are empty."""
    states = [_state(connection, partition) for partition in partition_names(name, count)]
    held, consumers = (sum(numbers) for numbers in zip(*states, strict=True))
    if held or consumers:
        yield f"kept the {count} partitions of {name}, which still hold {held} messages"
        return
    with connection.channel() as channel:
        for partition in partition_names(name, count):
            channel.queue_delete(partition)
    counts.forget(name)
    yield f"deleted the {count} partitions of {name}, whose Step is gone"


def _moved(name: str, before: int, wanted: int, moved: int) -> str:
    now = f"{wanted} partitions" if wanted else "none: its Step is not fifo any more"
    return f"{name} had {before} partitions and has {now}; {moved} messages moved"


def _kept(name: str, before: int) -> str:
    return (
        f"{name} keeps its {before} partitions while workers serve it; stop them and release again"
    )
