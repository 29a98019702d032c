"""A fifo Step's partitions where Redis is the broker, taken by lease instead of by kombu.

kombu gives a killed worker's message to others after the visibility timeout, and all behind it at
once. Here a message stays in its list until its run has ended, and the list is a worker's own as
long as the worker renews its lease.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from contextlib import suppress
from functools import partial
from typing import Any

from kombu.transport.virtual import Message

from motia_celery.broker.envelope import opened
from motia_celery.broker.feed import Deliver, Held, soon, worker_hub
from motia_celery.broker.queue import StepQueue
from motia_celery.errors import FrameworkError, PoisonMessageError
from motia_celery.plan.topology import DELIVERY_LIMIT
from motia_celery.stores.partitions import LEASE_SECONDS, Partitions, Taken

logger = logging.getLogger("motia_celery.broker")

POLL_SECONDS = 0.1
_RENEW_SECONDS = LEASE_SECONDS / 4
_PAUSE_SECONDS = 1.0


class LeasedMessage(Held, Message):
    """The first message of a partition that this worker has leased."""

    partition: LeasedPartition

    def __init__(self, taken: Taken, queue: StepQueue, feed: LeaseFeed) -> None:
        channel = queue.channel
        super().__init__(opened(channel, taken.payload, queue.name), channel=channel)
        self.delivery_info["redelivered"] = taken.deliveries > 1
        self.partition = LeasedPartition(taken, feed)

    def ack(self, multiple: bool = False) -> None:
        """Takes it off the partition."""
        self._state = "ACK"
        self.partition.settled()

    def reject(self, requeue: bool = False) -> None:
        """Takes it off, or leaves it to be delivered again."""
        self._state = "REQUEUED" if requeue else "REJECTED"
        if requeue:
            self.partition.given_back()
        else:
            self.partition.settled()


class LeasedPartition:
    """What a leased message does to its partition."""

    def __init__(self, taken: Taken, feed: LeaseFeed) -> None:
        self._taken = taken
        self._feed = feed

    def settled(self) -> None:
        """Its message was acknowledged or rejected."""
        self._feed.settle(self._taken, done=True)

    def given_back(self) -> None:
        """Its message is to be delivered again, by whoever takes it."""
        self._feed.settle(self._taken, done=False)

    def postpone(self, message: Held, delay_seconds: float) -> None:
        """Delivers the message again after a while; the lease is kept."""
        self._feed.postpone(self._taken, message, delay_seconds)


class LeaseFeed:
    """Feeds one fifo Step's messages from Redis to this worker.

    A thread takes, renews and finishes leases; messages are delivered on the consumer's thread.
    """

    def __init__(self, queue: StepQueue, partitions: Partitions, deliver: Deliver) -> None:
        self._queue = queue
        self._partitions = partitions
        self._deliver = deliver
        self._held: dict[int, Taken] = {}
        self._postponed: dict[int, tuple[Taken, Any]] = {}
        self._settled: deque[tuple[Taken, bool]] = deque()
        self._work = threading.Event()
        self._stopping = False
        self._renewed = 0.0
        self._thread = threading.Thread(target=self._run, name="partitions", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Takes nothing more. Leases are kept while their messages are run, and no longer."""
        self._stopping = True
        while self._postponed:
            taken, timer = self._postponed.popitem()[1]
            timer.cancel()
            self.settle(taken, done=False)
        self._work.set()

    def settle(self, taken: Taken, *, done: bool) -> None:
        """Has a partition freed: its first message taken off if it is ``done``."""
        self._settled.append((taken, done))
        self._work.set()

    def postpone(self, taken: Taken, message: Held, delay_seconds: float) -> None:
        """Delivers a message again after a while, unless this worker stops; its lease is kept."""
        hub = worker_hub()
        if self._stopping or hub is None:
            self.settle(taken, done=False)
            return

        def again() -> None:
            self._postponed.pop(taken.number, None)
            self._deliver(message)

        self._postponed[taken.number] = taken, hub.call_later(delay_seconds, again)

    # On the thread

    def _run(self) -> None:
        while not self._stopping or self._held:
            self._work.clear()
            try:
                moved = self._turn()
            except FrameworkError as error:
                self._log_outage(error)
                time.sleep(_PAUSE_SECONDS)
                continue
            if not moved:
                self._work.wait(POLL_SECONDS)
        with suppress(FrameworkError):  # it is forgotten when its time is over
            self._partitions.leave()

    def _turn(self) -> bool:
        """Frees what was settled, renews what is held, takes what is free; whether it took any."""
        self._free()
        if time.monotonic() - self._renewed >= _RENEW_SECONDS:
            for taken in self._partitions.renew(self._held.values()):
                self._log_loss(taken)
            self._renewed = time.monotonic()
        return not self._stopping and self._take()

    def _free(self) -> None:
        while self._settled:
            taken, done = self._settled[0]
            if not done:
                self._partitions.release(taken)
            elif not self._partitions.finish(taken):
                self._log_loss(taken)
            self._held.pop(taken.number, None)
            self._settled.popleft()

    def _take(self) -> bool:
        found = self._partitions.take(time.time(), self._held)
        for taken in found:
            self._held[taken.number] = taken
            soon(partial(self._received, taken))
        return bool(found)

    def _log_loss(self, taken: Taken) -> None:
        logger.error(
            "The lease on partition %d of %s was lost: this process stood still for %d s, and "
            "another may run the same message",
            taken.number,
            self._queue.name,
            LEASE_SECONDS,
            extra={"action": "partitions.lost"},
        )

    def _log_outage(self, error: FrameworkError) -> None:
        logger.warning(
            "The partitions of %s wait: %s",
            self._queue.name,
            error,
            extra={"action": "partitions.waiting"},
        )

    # On the consumer's thread

    def _received(self, taken: Taken) -> None:
        if self._stopping:
            self.settle(taken, done=False)
            return
        message = LeasedMessage(taken, self._queue, self)
        try:
            if taken.deliveries > DELIVERY_LIMIT:
                raise PoisonMessageError(
                    f"it was delivered {DELIVERY_LIMIT} times, and its worker died each time.",
                    self._queue.name,
                )
            wait = self._queue.remaining(message, time.time())
            self._queue.adapt(message)
        except Exception as error:  # an escaping exception would end the worker's loop
            self._queue.refuse(message, error)
            return
        if wait:
            self.postpone(taken, message, wait)
        else:
            self._deliver(message)
