"""Whether RabbitMQ takes messages: short of memory or disk, it tells those who publish."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from amqp import Message

from motia_celery.broker.connection import broker_errors, checked_connection, speaks_amqp

if TYPE_CHECKING:
    from motia_celery.settings import Settings

#: How long it may take to say so.
ANSWER_SECONDS = 1.0


def alarm(settings: Settings, patience_seconds: float = ANSWER_SECONDS) -> str | None:
    """Why the broker takes no messages, in its own words; None if it does, or is none that tells.

    Raises:
        BrokerUnavailableError: it does not answer.
    """
    told: list[str] = []
    options = {"on_blocked": told.append, "confirm_publish": False}
    with broker_errors(settings), checked_connection(settings, **options) as connection:
        if not speaks_amqp(connection):
            return None
        channel = connection.channel()
        # Nobody has the queue, so it is dropped; but now the connection publishes.
        channel.basic_publish(Message(b""), routing_key=f"{settings.prefix}.nowhere")
        _listen(connection, told, time.monotonic() + patience_seconds)
        if told:  # blocked, it would not answer to a goodbye either
            connection.connection.collect()
    return told[0] if told else None


def _listen(connection: Any, told: list[str], until: float) -> None:
    while not told and (left := until - time.monotonic()) > 0:
        try:
            connection.drain_events(timeout=left)
        except TimeoutError:
            return
