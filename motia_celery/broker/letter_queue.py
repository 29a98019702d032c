"""The dead-letter queue itself: how it is read without taking from it, and taken from safely.

RabbitMQ gives messages only to those who take them. So they are taken, unacknowledged, on one
channel, which is closed in the end: then those that were not acknowledged go back to their places.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from amqp.exceptions import NotFound, ResourceLocked
from kombu import Connection

from motia_celery.broker.connection import broker_errors, named_faults, open_connection, speaks_amqp
from motia_celery.broker.letter import Held
from motia_celery.broker.letter_list import ListedLetters
from motia_celery.broker.sender import Sender
from motia_celery.broker.wire import Message
from motia_celery.errors import DeadLetterError, FrameworkError
from motia_celery.plan.topology import Names, Topology
from motia_celery.settings import Settings

#: Letters that are taken at once, at least.
WINDOW = 100
#: RabbitMQ gives letters back in order for as long as this many consumers held them.
_MOST_WINDOWS = 31
#: The name of the consumer that gives back last.
_LAST = "letters-last"
#: How long one reader waits for another to end.
TURN_SECONDS = 30.0
#: A busy broker may be silent for a while, with letters on their way.
_SILENCE_SECONDS = 10.0
_RETURN_SECONDS = 10.0


class LetterQueue(Protocol):
    """The dead-letter queue of one app, open for one reader; all is done while it is open."""

    def count(self) -> int:
        """How many dead letters there are."""

    def read(self) -> Iterator[Held]:
        """Every letter that is there when it begins, oldest first; it takes none away."""

    def remove(self, held: Held) -> None:
        """Deletes a letter."""

    def serves(self, queue: str) -> bool:
        """Whether a Step's queue is there."""

    def resend(self, batch: Sequence[tuple[Held, Message]]) -> list[FrameworkError | None]:
        """Publishes each message, and deletes its letter once the broker has confirmed it.

        Gives, in the same order, why a message was not accepted; its letter stays.
        """


@contextmanager
def open_letters(
    settings: Settings, queues: Collection[str], turn_seconds: float = TURN_SECONDS
) -> Iterator[LetterQueue]:
    """The dead-letter queue; ``queues`` are those of the app's Steps, where they are known.

    Raises:
        BrokerUnavailableError: the broker does not answer.
        DeadLetterError: another command has been reading for ``turn_seconds``.
    """
    names = Names(settings.prefix)
    with (
        broker_errors(settings),
        open_connection(settings) as connection,
        named_faults(connection),
    ):
        connection.ensure_connection(max_retries=0)
        if not speaks_amqp(connection):
            yield ListedLetters(connection.default_channel, names, frozenset(queues))
            return
        _take_turn(connection, names, turn_seconds)
        letters = _QuorumLetters(connection, settings, names)
        try:
            yield letters
        finally:
            letters.close()


def _take_turn(connection: Connection, names: Names, seconds: float) -> None:
    """Waits until nobody else reads: two readers would each see only a part of the letters.

    The turn is a queue that only its connection may use, so it ends with the process.
    """
    deadline = time.monotonic() + seconds
    while True:
        channel = connection.channel()
        try:
            turn = f"{names.dead_letter_queue}.reader"
            channel.queue_declare(turn, exclusive=True, durable=False, auto_delete=True)
        except ResourceLocked:
            if time.monotonic() > deadline:
                raise DeadLetterError(
                    "another command is reading the dead letters.",
                    names.dead_letter_queue,
                    "Wait until it has ended.",
                ) from None
            time.sleep(0.1)
        else:
            return


class _QuorumLetters:
    """The dead letters on RabbitMQ."""

    def __init__(self, connection: Connection, settings: Settings, names: Names) -> None:
        self._connection = connection
        self._settings = settings
        self._queue = names.dead_letter_queue
        self._reading: _Reading | None = None
        self._kept = 0
        self._sender = Sender(settings, Topology(names))
        self._known: dict[str, bool] = {}

    def count(self) -> int:
        return self._size(self._queue) or 0

    def serves(self, queue: str) -> bool:
        if queue not in self._known:
            self._known[queue] = self._size(queue) is not None
        return self._known[queue]

    def _size(self, queue: str) -> int | None:
        # A refused question closes its channel, so each gets one of its own.
        with suppress(NotFound), self._connection.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).message_count)
        return None

    def read(self) -> Iterator[Held]:
        self._kept = self.count()
        self._reading = _Reading(self._connection, self._queue, self._kept, self.count)
        while (raw := self._reading.next()) is not None:
            yield Held(raw, raw.delivery_tag)

    def remove(self, held: Held) -> None:
        assert self._reading is not None
        self._reading.settle(held.handle)
        self._kept -= 1

    def resend(self, batch: Sequence[tuple[Held, Message]]) -> list[FrameworkError | None]:
        seconds = self._settings.emit_timeout_seconds
        waiting = [self._sender.put(message, seconds) for _, message in batch]
        outcomes: list[FrameworkError | None] = []
        for (held, _), pending in zip(batch, waiting, strict=True):
            try:
                self._confirmed(pending)
            except FrameworkError as error:
                outcomes.append(error)
            else:
                self.remove(held)
                outcomes.append(None)
        return outcomes

    def _confirmed(self, pending: Any) -> None:
        try:
            pending.done.result(pending.patience)
        except TimeoutError:
            self._sender.give_up(pending)

    def close(self) -> None:
        """Gives back what was not deleted, and lets go of the publishing connection."""
        self._sender.close()
        if self._reading is not None:
            self._reading.close()
            self._wait_for_return()

    def _wait_for_return(self) -> None:
        """Lets the next reader see all: letters go back a little after their channel has gone."""
        deadline = time.monotonic() + _RETURN_SECONDS
        while self.count() < self._kept and time.monotonic() < deadline:
            time.sleep(0.02)


class _Reading:
    """One reading of the queue to its end, in windows: each has a consumer of its own.

    RabbitMQ puts what comes back behind what came back before. So the order stays only if
    everything was taken before anything goes back, and a reading that nobody wants any more is
    still brought to its end.
    """

    def __init__(
        self, connection: Connection, queue: str, total: int, ready: Callable[[], int]
    ) -> None:
        self._connection = connection
        self._queue = queue
        self._ready = ready
        self._left = total
        self._size = max(WINDOW, -(-total // _MOST_WINDOWS))
        self._windows = 0
        self._consumer = ""
        self._coming = 0
        self._taken: deque[Any] = deque()
        self._settled: list[int] = []
        self._channel = connection.channel()
        self._channel.auto_decode = False  # bodies stay the bytes that they are

    def next(self) -> Any | None:
        """The next message; None after the last."""
        while not self._taken:
            if self._coming > 0:
                self._wait()
            elif not self._begin_window():
                return None
        return self._taken.popleft()

    def settle(self, tag: int) -> None:
        """Acknowledges a message at the end of its window: the room would be filled at once."""
        self._settled.append(tag)

    def close(self) -> None:
        """Gives back, in order, what was not settled."""
        while self.next() is not None:
            pass
        if self._windows:
            self._make_sure()
        self._channel.close()

    def _make_sure(self) -> None:
        """Returns once the acknowledgements are with the queue.

        RabbitMQ's channel sends 32 of them ahead, keeps the others back, and forgets these if it
        is closed. A consumer starts after those ahead; it ends after the rest.
        """
        self._channel.basic_qos(0, 1, False)
        self._channel.basic_consume(self._queue, consumer_tag=_LAST, callback=self._arrived)
        self._channel.basic_cancel(_LAST)

    def _begin_window(self) -> bool:
        self._end_window()
        size = min(self._size, self._left)
        if size == 0:
            return False
        self._left -= size
        self._coming = size
        self._windows += 1
        self._consumer = f"letters-{self._windows:02}"  # in this order they give back
        self._channel.basic_qos(0, size, False)
        self._channel.basic_consume(
            self._queue, consumer_tag=self._consumer, callback=self._arrived
        )
        return True

    def _arrived(self, raw: Any) -> None:
        self._taken.append(raw)
        self._coming -= 1

    def _end_window(self) -> None:
        if self._consumer:
            self._channel.basic_cancel(self._consumer)
            self._consumer = ""
        for tag in self._settled:
            self._channel.basic_ack(tag)
        self._settled.clear()

    def _wait(self) -> None:
        """Returns when a message came, or none will: others may have taken what was counted."""
        deadline = time.monotonic() + _SILENCE_SECONDS
        while not self._taken:
            try:
                self._connection.drain_events(timeout=max(0.01, deadline - time.monotonic()))
            except TimeoutError:
                if self._ready():
                    raise
                self._coming = self._left = 0
                return
