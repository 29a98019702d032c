"""Emptying queues."""

from __future__ import annotations

from collections.abc import Iterable

from motia_celery.broker.connection import broker_errors, open_connection
from motia_celery.settings import Settings


def purge(settings: Settings, queues: Iterable[str]) -> int:
    """Drops what waits in these queues, and gives the number of messages.

    What a worker holds already is not reached.

    Raises:
        BrokerUnavailableError: the broker does not answer.
    """
    with broker_errors(settings), open_connection(settings) as connection:
        connection.ensure_connection(max_retries=2)
        with connection.channel() as channel:
            return sum(int(channel.queue_purge(name) or 0) for name in queues)
