"""How a fifo Step's messages come to Celery: a partition at a time, and stay until they are done.

Celery's consumer of tasks hands each fifo queue to a *feed*. The feed delivers the first message of
each of its partitions, and the next one when that was settled: acknowledged or rejected. A failed
run is delivered again from the same message, so nothing of its group can pass it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from celery.app.amqp import AMQP
from kombu import Consumer
from kombu.asynchronous import Hub, get_event_loop

from motia_celery.broker import wire
from motia_celery.broker.connection import speaks_amqp
from motia_celery.broker.declaring import at_once
from motia_celery.broker.queue import StepQueue

#: Takes a message into the worker, on the consumer's own thread.
Deliver = Callable[[Any], None]


class Feed(Protocol):
    """Delivers one fifo queue's messages to this worker, from its opening on."""

    def stop(self) -> None:
        """Delivers nothing more; what is being run is settled as it ends."""


class Partition(Protocol):
    """Where a held message came from."""

    def settled(self) -> None:
        """Its message was acknowledged or rejected."""

    def postpone(self, message: Held, delay_seconds: float) -> None:
        """Delivers the same message again, after a while; until then its group waits."""


class Held:
    """A message that its partition waits for; a mixin for the messages of both transports."""

    partition: Partition
    headers: dict[str, Any]

    def again(self, attempt: int, delay_seconds: float, carried: Mapping[str, str]) -> None:
        """Has the message delivered again as this attempt, without giving it back.

        ``carried`` are the headers that tie it to the attempts before.
        """
        self.headers.update(carried)
        self.headers["retries"] = attempt - 1
        self.headers |= wire.queued_at(delay_seconds)
        soon(lambda: self.partition.postpone(self, delay_seconds))


_REENTRANT = type(threading.RLock())
_hub: Hub | None = None


def worker_hub() -> Hub | None:
    """The worker's event loop, also while it is between two connections.

    kombu forgets it as a connection is lost.
    """
    global _hub
    _hub = get_event_loop() or _hub
    return _hub


def let_signals_in(hub: Hub) -> None:
    """Makes the loop one that a signal's handler may call, wherever the signal met it.

    Celery stops a worker from within such a handler. One that came just while the loop took its
    calls over would wait for ever for the lock that its own thread holds.
    """
    if type(hub._ready_lock) is not _REENTRANT:
        hub._ready_lock = threading.RLock()


def soon(call: Callable[[], Any]) -> None:
    """Calls on the consumer's own thread, from any."""
    hub = worker_hub()
    if hub is not None:
        hub.call_soon(call)


OpenFeed = Callable[[StepQueue, Deliver], Feed]


class TaskConsumer(Consumer):
    """Celery's consumer of tasks, with a feed for each fifo queue."""

    def __init__(self, *args: Any, open_feed: OpenFeed, **kwargs: Any) -> None:
        self._open_feed = open_feed
        self._feeds: dict[str, Feed] = {}
        super().__init__(*args, **kwargs)

    def declare(self) -> None:
        """Declares all queues."""
        if not speaks_amqp(self.connection):
            super().declare()
            return
        with at_once(self.connection) as together:
            for queue in self.queues:
                queue.declare(channel=together)

    def consume(self, no_ack: bool | None = None) -> None:
        """Starts consuming from the queues that are not consumed from yet."""
        worker_hub()  # known from here on
        super().consume(no_ack)
        for queue in self.queues:
            if isinstance(queue, StepQueue) and queue.has_feed and queue.name not in self._feeds:
                self._feeds[queue.name] = self._open_feed(queue, self._deliver)

    def cancel(self) -> None:
        """Stops consuming."""
        while self._feeds:
            self._feeds.popitem()[1].stop()
        super().cancel()

    close = cancel

    def cancel_by_queue(self, queue: Any) -> None:
        """Stops consuming from one queue."""
        feed = self._feeds.pop(getattr(queue, "name", queue), None)
        if feed is not None:
            feed.stop()
        super().cancel_by_queue(queue)

    def _deliver(self, message: Any) -> None:
        message.accept = self.accept
        self.on_message(message)


class StepAMQP(AMQP):
    """Celery's ``app.amqp``, whose consumer of tasks knows fifo queues.

    ``app.open_feed`` gives the feed of a queue.
    """

    def TaskConsumer(  # noqa: N802 - Celery's name
        self, channel: Any, queues: Any = None, accept: Any = None, **options: Any
    ) -> TaskConsumer:
        """The consumer of all queues that the worker serves."""
        return TaskConsumer(
            channel,
            queues=queues or list(self.queues.consume_from.values()),
            accept=self.app.conf.accept_content if accept is None else accept,
            open_feed=self.app.open_feed,
            **options,
        )
