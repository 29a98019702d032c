"""A fifo Step's partitions on RabbitMQ, consumed one message at a time.

Each partition is a queue with a single active consumer, each consumer has a channel of its own, and
leaves by closing it. `basic.cancel` would not do: a cancelled consumer keeps the message that it
runs, and the next one in line is given what comes behind it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from kombu.transport.pyamqp import Message as AmqpMessage

from motia_celery.broker.feed import Deliver, Held, worker_hub
from motia_celery.broker.queue import StepQueue, partition_queue
from motia_celery.broker.router import Router
from motia_celery.broker.sharing import Sharing
from motia_celery.broker.topology import declare_queue
from motia_celery.broker.wire import Message
from motia_celery.plan.topology import Names, partition_name


class HeldMessage(Held, AmqpMessage):
    """A partition's message; it knows the channel that it is settled on."""

    def __init__(self, raw: Any, channel: Any, partition: ConsumedPartition) -> None:
        super().__init__(raw, channel=channel)
        self.partition = partition

    def ack(self, multiple: bool = False) -> None:
        """Takes it off the partition."""
        super().ack()
        self.partition.settled()

    def reject(self, requeue: bool = False) -> None:
        """Makes a dead letter of it, or puts it back in its place."""
        super().reject(requeue=requeue)
        self.partition.settled()


class ConsumedPartition:
    """One partition as this worker consumes it, if it is the one whose turn it is."""

    def __init__(self, queue: StepQueue, number: int, connection: Any, deliver: Deliver) -> None:
        self.name = partition_name(queue.name, number)
        self._queue = queue
        self._connection = connection
        self._deliver = deliver
        self._channel: Any = None
        self._held: HeldMessage | None = None
        self._timer: Any = None
        self._left = False
        self._yields = False
        self.active = False

    def open(self) -> None:
        """Joins the line of the partition's consumers."""
        self._channel = self._connection.channel()
        self._channel.basic_qos(0, 1, False)
        self._channel.basic_consume(self.name, callback=self._received)

    def leave(self) -> None:
        """Leaves the line for good: at once, or as soon as what runs has ended."""
        self._left = True
        if self._held is None or self._timer is not None:
            self._close()

    def give_way(self) -> None:
        """Goes to the end of the line: at once, or as soon as what runs has ended."""
        self._yields = True
        if self._held is None and not self._left:
            self.settled()

    def _received(self, raw: Any) -> None:
        self.active = True
        if self._left:
            return  # it goes to the next in line as the channel closes
        try:
            wait = self._queue.remaining(raw, time.time())
            self._queue.adapt(raw)
        except Exception as error:  # an escaping exception would end the worker's loop
            self._queue.refuse(raw, error)
            return
        held = HeldMessage(raw, self._channel, self)
        self._held = held
        if wait:
            self.postpone(held, wait)
        else:
            self._deliver(held)

    def settled(self) -> None:
        """Its message was acknowledged or rejected."""
        self._held = None
        if self._left:
            self._close()
        elif self._yields:
            self._yields = self.active = False
            self._close()
            self.open()

    def postpone(self, message: Held, delay_seconds: float) -> None:
        """Delivers the message again after a while, unless its turn was given up meanwhile."""
        if self._left:
            self._close()
            return
        hub = worker_hub()
        if hub is None:
            raise RuntimeError("a fifo Step needs Celery's event loop")
        self._timer = hub.call_later(delay_seconds, self._again, message)

    def _again(self, message: Held) -> None:
        self._timer = None
        self._deliver(message)

    def _close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._held = None
        channel, self._channel = self._channel, None
        if channel is not None:
            with suppress(*self._connection.connection_errors, *self._connection.channel_errors):
                channel.close()


class PartitionFeed:
    """Feeds one fifo Step's messages from RabbitMQ to this worker."""

    def __init__(
        self,
        queue: StepQueue,
        names: Names,
        partitions: int,
        deliver: Deliver,
        publish: Callable[[Message], Future[None]],
        sharing: Sharing,
    ) -> None:
        self._names = names
        self._queue = queue
        self._connection = queue.channel.connection
        self._sharing = sharing
        self._router = Router(queue, self._connection, publish, partitions)
        self._partitions = [
            ConsumedPartition(queue, number, self._connection, deliver)
            for number in range(partitions)
        ]

    def start(self) -> None:
        """Declares the partitions, and joins the line of consumers of each."""
        for partition in self._partitions:
            queue = partition_queue(partition.name, self._queue.name, self._names)
            declare_queue(self._connection.client, queue)
        for partition in self._partitions:
            partition.open()
        self._router.open()
        self._sharing.start(self._share)

    def stop(self) -> None:
        """Leaves every line; a message that is being run is settled as it ends."""
        self._sharing.stop()
        self._router.close()
        for partition in self._partitions:
            partition.leave()

    def _share(self, rank: int, workers: int, *, anew: bool) -> None:
        """Gives way where it is another's turn: the first in line would keep every partition."""
        for number, partition in enumerate(self._partitions):
            if number % workers != rank and (anew or partition.active):
                partition.give_way()
