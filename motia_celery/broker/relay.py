"""Delays on a broker that has none: messages wait in the store and are published when due.

Celery's own way, an ETA held in a worker's memory, delivers a message twice once it is longer
than the transport's visibility timeout.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import orjson

from motia_celery.broker.wire import Message

logger = logging.getLogger("motia_celery.broker")

POLL_SECONDS = 0.25
#: A message that was claimed and not published within this time is claimed again.
LEASE_SECONDS = 30
_BATCH = 100


class Waiting(Protocol):
    """Where messages wait, as the stores provide it."""

    def add(self, member_id: str, payload: bytes, due: float) -> None:
        """Keeps a message until ``due``, an epoch time."""

    def claim(self, now: float, lease_seconds: float, limit: int) -> list[tuple[str, bytes]]:
        """The messages that are due, each leased to the caller."""

    def done(self, member_id: str) -> None:
        """Forgets a message that was published."""


def hold(waiting: Waiting) -> Callable[[Message], None]:
    """A function that keeps a message until it is due."""

    def keep(message: Message) -> None:
        waiting.add(uuid.uuid4().hex, packed(message), time.time() + message.delay_seconds)

    return keep


def packed(message: Message) -> bytes:
    """The message as JSON, for the store."""
    return orjson.dumps(
        {
            "exchange": message.exchange,
            "routing_key": message.routing_key,
            "body": message.body.decode(),
            "headers": dict(message.headers),
            "properties": dict(message.properties),
        }
    )


def released(payload: bytes) -> Message:
    """The message that was packed; its delay is over."""
    return unpacked(orjson.loads(payload))


def unpacked(fields: Mapping[str, Any]) -> Message:
    """The message that these fields describe."""
    return Message(**{**fields, "body": fields["body"].encode()})


class Relay:
    """Publishes what is due, from a thread of each worker; any number of them may run."""

    def __init__(self, waiting: Waiting, publish: Callable[[Message], None]) -> None:
        self._waiting = waiting
        self._publish = publish
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; what it had claimed is claimed again by another."""
        self._stopped.set()
        self._thread.join(POLL_SECONDS * 8)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                moved = self._move_due()
            except Exception as error:  # the store or the broker is away; the messages are kept
                logger.warning(
                    "Delayed messages wait: %s", error, extra={"action": "relay.waiting"}
                )
                moved = 0
            if moved < _BATCH:
                self._stopped.wait(POLL_SECONDS)

    def _move_due(self) -> int:
        due = self._waiting.claim(time.time(), LEASE_SECONDS, _BATCH)
        for member_id, payload in due:
            self._publish(released(payload))
            self._waiting.done(member_id)
        return len(due)
