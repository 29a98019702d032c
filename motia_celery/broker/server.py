"""Which broker answers, and what it can do."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from motia_celery.broker.connection import checked_connection, speaks_amqp
from motia_celery.broker.sender import PRIORITIES_SINCE
from motia_celery.broker.topology import broker_version
from motia_celery.errors import BrokerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from motia_celery.settings import Settings

#: The name of what old brokers lack for long runs.
PATIENCE = "consumer timeout per queue"
#: What depends on RabbitMQ's version: the first version that has it, and what it is needed for.
FEATURES: Mapping[str, tuple[int, int]] = {
    "quorum queues": (3, 8),
    "at-least-once dead letters": (3, 10),
    PATIENCE: (3, 12),
    "priorities on quorum queues": PRIORITIES_SINCE,
}
#: Without these, messages can be lost or delays do not work.
REQUIRED = ("quorum queues", "at-least-once dead letters")
RABBITMQ = "RabbitMQ"
CHECK_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerFacts:
    """What the broker says about itself; ``features`` is empty for any but RabbitMQ."""

    product: str
    version: str
    features: Mapping[str, bool]

    @property
    def missing(self) -> tuple[str, ...]:
        """Required features that this version lacks."""
        return tuple(name for name in REQUIRED if not self.features.get(name, True))


class BrokerCheck:
    """Whether the broker answers, looked up once at a time and at most once a second.

    Health checks come from anywhere, and must not use up the broker's connections.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._looking = threading.Lock()
        self._looked = -CHECK_PAUSE_SECONDS
        self._fault: BrokerUnavailableError | None = None

    def run(self) -> None:
        """Returns if the broker answers, or answered within the last second.

        Raises:
            BrokerUnavailableError: it does not.
        """
        with self._looking:
            if time.monotonic() - self._looked >= CHECK_PAUSE_SECONDS:
                self._fault = self._look()
                self._looked = time.monotonic()
            if self._fault is not None:
                raise self._fault.with_traceback(None)

    def _look(self) -> BrokerUnavailableError | None:
        try:
            check_broker(self._settings)
        except BrokerUnavailableError as error:
            return error
        return None


def check_broker(settings: Settings) -> None:
    """Connects once.

    Raises:
        BrokerUnavailableError: the broker does not answer.
    """
    with checked_connection(settings):
        pass


def broker_facts(settings: Settings) -> BrokerFacts:
    """Which broker answered.

    Raises:
        BrokerUnavailableError: it does not answer.
    """
    with checked_connection(settings) as connection:
        if not speaks_amqp(connection):
            driver = str(connection.transport.driver_type).capitalize()
            return BrokerFacts(product=f"{driver} transport", version="", features={})
        properties = connection.connection.server_properties
        product = str(properties.get("product", "unknown"))
        version = broker_version(connection)
        return BrokerFacts(
            product=product,
            version=str(properties.get("version", "")),
            # The versions are RabbitMQ's; LavinMQ, for one, counts its own.
            features={name: version >= since for name, since in FEATURES.items()}
            if product == RABBITMQ
            else {},
        )
