"""Declaring the Plan's exchanges, queues and bindings on the broker.

:func:`declare` only adds, so every process may call it. :func:`release` also takes away what
earlier plans left: it runs once at a deploy.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from amqp.exceptions import NotFound, PreconditionFailed
from kombu import Connection, Exchange, Queue
from kombu.transport.native_delayed_delivery import (
    bind_queue_to_native_delayed_delivery_exchange,
    declare_native_delayed_delivery_exchanges_and_queues,
)

from motia_celery.broker.connection import speaks_amqp
from motia_celery.broker.declaring import at_once
from motia_celery.broker.queue import StepQueue, dead_letter_queue, step_queue
from motia_celery.broker.relay_queue import RelayQueue, relay_queue
from motia_celery.errors import QueueConflictError
from motia_celery.plan.topology import Topology
from motia_celery.settings import Settings

logger = logging.getLogger("motia_celery.broker")

#: How long a move waits for a message that the broker says is ready.
DELIVERY_SECONDS = 10.0

#: The topics each queue was bound with, by the queue's name: what `release` compares with.
Bindings = Mapping[str, tuple[str, ...]]


def queues_of(topology: Topology, settings: Settings, *, amqp: bool) -> list[Queue]:
    """Every queue of the app as kombu declares it."""
    return [
        step_queue(
            plan,
            topology.names,
            amqp=amqp,
            prefetch=settings.prefetch_count,
            limit_bytes=settings.event_limit_bytes,
        )
        for plan in topology.queues
    ]


def declare(connection: Connection, topology: Topology, settings: Settings) -> None:
    """Declares every exchange, queue and binding that is not there yet.

    Raises:
        QueueConflictError: a queue exists with other arguments.
    """
    amqp = speaks_amqp(connection)
    with connection.channel() as channel:
        Exchange(topology.names.events, type="topic", durable=True)(channel).declare()
        Exchange(topology.names.steps, type="topic", durable=True)(channel).declare()
    queues: list[Queue] = queues_of(topology, settings, amqp=amqp)
    if amqp:
        queues[:0] = [_dead_letters(connection, topology), relay_queue(topology.names)]
    if not amqp or not _declared_at_once(connection, queues):
        for queue in queues:
            declare_queue(connection, queue)


def _declared_at_once(connection: Connection, queues: Sequence[Queue]) -> bool:
    """Whether they could be declared; one by one it is known which could not."""
    try:
        with at_once(connection) as together:
            for queue in queues:
                queue.declare(channel=together)
    except PreconditionFailed:
        return False
    return True


def _dead_letters(connection: Connection, topology: Topology) -> Queue:
    limits = broker_version(connection) >= (4, 0)
    return dead_letter_queue(topology.names, amqp=True, limits_by_default=limits)


def declare_queue(connection: Connection, queue: Queue) -> None:
    """Declares one queue with its bindings.

    Raises:
        QueueConflictError: it exists with other arguments.
    """
    try:
        # A refused declaration closes its channel, so each queue gets one of its own.
        with connection.channel() as channel:
            queue(channel).declare()
    except PreconditionFailed as error:
        raise QueueConflictError(
            f"the queue exists with other arguments ({error.reply_text}).",
            queue.name,
            "Run `motia-celery release`, which moves its messages to a new one.",
        ) from error


def declare_delays(connection: Connection, queues: Iterable[Queue]) -> None:
    """Declares what delayed messages ride on, and lets them reach each queue.

    These exchanges are Celery's own and carry its names: other Celery apps on the same virtual
    host share them, and a routing key with our prefix leads only to our queues.
    """
    with at_once(connection) as together:
        declare_native_delayed_delivery_exchanges_and_queues(together, "quorum")
        for queue in queues:
            bind_queue_to_native_delayed_delivery_exchange(together, queue)


def broker_version(connection: Connection) -> tuple[int, ...]:
    """The broker's version; empty for one that does not tell."""
    connection.ensure_connection(max_retries=1)
    properties = getattr(connection.connection, "server_properties", None) or {}
    parts = str(properties.get("version", "")).split(".")[:2]
    return tuple(int(part) for part in parts if part.isdigit())


def release(
    connection: Connection, topology: Topology, settings: Settings, before: Bindings
) -> tuple[list[str], Bindings]:
    """Brings the broker to the Plan: declares, migrates, unbinds, and retires.

    ``before`` is what the last release bound. Gives a line for each thing done, and the bindings
    to remember; a retired queue that still holds messages stays among them.

    Raises:
        QueueConflictError: a queue must be replaced while workers still consume from it.
    """
    done: list[str] = []
    kept: dict[str, tuple[str, ...]] = {plan.name: plan.topics for plan in topology.queues}
    if not speaks_amqp(connection):
        declare(connection, topology, settings)
        return done, kept
    with connection.channel() as channel:
        names = topology.names
        for name in (names.dead_letter_exchange, names.events, names.steps):
            Exchange(name, type="topic", durable=True)(channel).declare()
    queues = queues_of(topology, settings, amqp=True)
    for queue in (_dead_letters(connection, topology), relay_queue(names), *queues):
        done.extend(bring_to_plan(connection, queue))
    declare_delays(connection, (*queues, relay_queue(names)))
    for queue in queues:
        done.extend(_unbind_dropped_topics(connection, queue, before.get(queue.name, ())))
    for name in before.keys() - kept.keys():
        line, gone = _retire(connection, topology, name, before[name])
        done.append(line)
        if not gone:
            kept[name] = ()
    return done, kept


def _unbind_dropped_topics(
    connection: Connection, queue: StepQueue, before: tuple[str, ...]
) -> Iterator[str]:
    """Declaring a queue never removes a binding, so a dropped topic is unbound by name."""
    for topic in sorted(set(before) - set(queue.topics)):
        with connection.channel() as channel:
            queue(channel).unbind_from(queue.events, topic)
        yield f"unbound {topic} from {queue.name}"


def _retire(
    connection: Connection, topology: Topology, name: str, topics: tuple[str, ...]
) -> tuple[str, bool]:
    """Stops events to the queue of a Step that is no longer there; deletes it when it is empty."""
    with _missing_is_fine(), connection.channel() as channel:
        queue = Queue(name)(channel)
        for topic in topics:
            queue.unbind_from(Exchange(topology.names.events), topic)
        ready = queue.queue_declare(passive=True)
        if ready.message_count:
            held = f"it still holds {ready.message_count} messages"
            return f"retired {name}: no event reaches it any more, {held}", False
        if ready.consumer_count:
            return f"retired {name}: its last workers are still connected", False
        queue.delete()
    return f"deleted {name}, whose Step is gone", True


@contextmanager
def _missing_is_fine() -> Iterator[None]:
    try:
        yield
    except NotFound:
        return


def bring_to_plan(connection: Connection, queue: Queue) -> Iterator[str]:
    """Declares the queue; replaces one that has other arguments, with its messages moved.

    They wait in a queue aside, which hears the same topics. Killed at any point, it is resumed by
    the next release: the queue aside goes last.
    """
    aside = Queue(f"{queue.name}.moving", durable=True, queue_arguments={"x-queue-type": "quorum"})
    resumed = queue_exists(connection, aside.name)
    try:
        declare_queue(connection, queue)
    except QueueConflictError:
        _refuse_while_consumed(connection, queue)
        _put_aside(connection, queue, aside)
        declare_queue(connection, queue)
    else:
        if not resumed:
            return
    moved = _move_back(connection, queue, aside)
    how = "resumed the replacement of" if resumed else "replaced"
    yield f"{how} {queue.name}, whose arguments changed; {moved} messages moved"


def _put_aside(connection: Connection, queue: Queue, aside: Queue) -> None:
    declare_queue(connection, aside)
    _redirect(connection, queue, queue.name, aside.name)
    drain(connection, queue.name, aside.name)


def _move_back(connection: Connection, queue: Queue, aside: Queue) -> int:
    _redirect(connection, queue, aside.name, queue.name)
    return drain(connection, aside.name, queue.name)


def _redirect(connection: Connection, queue: Queue, source: str, target: str) -> None:
    """Leads what is meant for ``queue`` to ``target`` and away from ``source``, in this order."""
    routes = [(bound.exchange, bound.routing_key) for bound in getattr(queue, "bindings", ())]
    if queue.exchange.name:
        routes.append((queue.exchange, queue.routing_key))
    if isinstance(queue, (StepQueue, RelayQueue)):
        routes.append((queue.exchange, f"#.{queue.routing_key}"))  # where delays come from
    with connection.channel() as channel:
        for exchange, key in routes:
            Queue(target)(channel).bind_to(exchange, key)
        for exchange, key in routes:
            Queue(source)(channel).unbind_from(exchange, key)


def drain(connection: Connection, source: str, target: str) -> int:
    """Moves every message, and deletes ``source``."""
    moved = move(connection, source, lambda _raw: target)
    with connection.channel() as channel:
        # Quorum queues refuse a delete on the condition that they are empty.
        while channel.queue_declare(source, passive=True).message_count:
            moved += move(connection, source, lambda _raw: target)
        channel.queue_delete(source)
    return moved


def _refuse_while_consumed(connection: Connection, queue: Queue) -> None:
    with connection.channel() as channel:
        consumers = queue(channel).queue_declare(passive=True).consumer_count
    if consumers:
        raise QueueConflictError(
            f"its arguments changed, and {consumers} consumers are still connected.",
            queue.name,
            "Stop the workers and run `motia-celery release` again; it moves the messages to a "
            "new queue. Or deploy under another MOTIA_PREFIX.",
        )


def queue_exists(connection: Connection, name: str) -> bool:
    """Whether the broker has the queue."""
    try:
        with connection.channel() as channel:
            channel.queue_declare(name, passive=True)
    except NotFound:
        return False
    return True


def move(connection: Connection, source: str, target: Callable[[Any], str]) -> int:
    """Moves the messages that are ready, each to its target: confirmed before it is acknowledged.

    Raises:
        QueueConflictError: somebody else consumes them.
    """
    received: deque[Any] = deque()
    with connection.channel() as channel:
        channel.auto_decode = False  # bodies stay the bytes that they are
        ready: int = channel.queue_declare(source, passive=True).message_count
        if ready:
            # `basic.get` is refused by queues with a single active consumer.
            channel.basic_qos(0, 1, False)
            channel.basic_consume(source, callback=received.append)
        for _ in range(ready):
            raw = _next(connection, received, source)
            channel.basic_publish_confirm(
                copied(channel, raw), exchange="", routing_key=target(raw), mandatory=True
            )
            channel.basic_ack(raw.delivery_tag)
    return ready


def _next(connection: Connection, received: deque[Any], source: str) -> Any:
    deadline = time.monotonic() + DELIVERY_SECONDS
    while not received:
        try:
            connection.drain_events(timeout=max(0.01, deadline - time.monotonic()))
        except TimeoutError as error:
            raise QueueConflictError(
                "its messages are not delivered; another consumer is given them.",
                source,
                "Stop the workers and run `motia-celery release` again; it goes on where it was.",
            ) from error
    return received.popleft()


def copied(channel: Any, raw: Any) -> Any:
    """A message to publish that is the same as one that was read."""
    properties = dict(raw.properties)
    headers = properties.pop("application_headers", None)
    return channel.prepare_message(
        raw.body,
        priority=properties.pop("priority", None),
        content_type=properties.pop("content_type", None),
        content_encoding=properties.pop("content_encoding", None),
        headers=headers,
        properties=properties,
    )
