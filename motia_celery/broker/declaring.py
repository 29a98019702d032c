"""Declarations of which only the last one's answer is waited for.

RabbitMQ does what it is told on a channel in order, so one answer says that all before it is done.
One by one, a thousand queues with their bindings and delays took a worker 9 of the 11 s that it
started in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kombu import Connection

#: Declarations without an answer; heartbeats are seen to between them only.
TOGETHER = 500


class Unanswered:
    """What kombu declares on, in place of a channel or of its connection. An exchange that
    several queues share is declared once.
    """

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._exchanges: set[tuple[str, str]] = set()
        self._sent = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    def channel(self) -> Unanswered:
        """Itself: the one channel of this connection."""
        return self

    def exchange_declare(self, **options: Any) -> None:
        """Declares an exchange."""
        known = options["exchange"], options["type"]
        if known not in self._exchanges:
            self._exchanges.add(known)
            self._send(self._channel.exchange_declare, options)

    def exchange_bind(self, **options: Any) -> None:
        """Binds an exchange to another."""
        self._send(self._channel.exchange_bind, options)

    def queue_declare(self, **options: Any) -> None:
        """Declares a queue."""
        self._send(self._channel.queue_declare, options)

    def queue_bind(self, **options: Any) -> None:
        """Binds a queue to an exchange."""
        self._send(self._channel.queue_bind, options)

    def wait(self) -> None:
        """Returns once all of it is done.

        Raises:
            ChannelError: the first that was refused.
        """
        self._channel.basic_qos(0, 0, False)  # needs no name and no permission

    def _send(self, declare: Callable[..., Any], options: dict[str, Any]) -> None:
        declare(**{**options, "nowait": True})
        self._sent += 1
        if self._sent % TOGETHER == 0:
            self.wait()


@contextmanager
def at_once(connection: Connection) -> Iterator[Unanswered]:
    """Declares on a channel of its own; with the end of the ``with`` all of it is done.

    Raises:
        ChannelError: the first that was refused.
    """
    with connection.channel() as channel:
        unanswered = Unanswered(channel)
        yield unanswered
        unanswered.wait()
