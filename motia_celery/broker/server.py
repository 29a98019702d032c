"""Which broker answers, and what it can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from motia_celery.broker.connection import broker_errors, open_connection, speaks_amqp
from motia_celery.broker.topology import broker_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from motia_celery.settings import Settings

#: What depends on RabbitMQ's version: the first version that has it, and what it is needed for.
FEATURES: Mapping[str, tuple[int, int]] = {
    "quorum queues": (3, 8),
    "at-least-once dead letters": (3, 10),
    "consumer timeout per queue": (3, 12),
    "priorities on quorum queues": (4, 0),
}
#: Without these, messages can be lost or delays do not work.
REQUIRED = frozenset({"quorum queues", "at-least-once dead letters"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerFacts:
    """What the broker says about itself; ``features`` is empty for a Redis transport."""

    product: str
    version: str
    features: Mapping[str, bool]

    @property
    def missing(self) -> tuple[str, ...]:
        """Required features that this version lacks."""
        return tuple(name for name in REQUIRED if not self.features.get(name, True))


def check_broker(settings: Settings) -> None:
    """Connects once.

    Raises:
        BrokerUnavailableError: the broker does not answer.
    """
    with broker_errors(settings), open_connection(settings) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=3)


def broker_facts(settings: Settings) -> BrokerFacts:
    """Which broker answered.

    Raises:
        BrokerUnavailableError: it does not answer.
    """
    with broker_errors(settings), open_connection(settings) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=3)
        if not speaks_amqp(connection):
            return BrokerFacts(product="Redis transport", version="", features={})
        version = broker_version(connection)
        properties = connection.connection.server_properties
        return BrokerFacts(
            product=str(properties.get("product", "unknown")),
            version=str(properties.get("version", "")),
            features={name: version >= since for name, since in FEATURES.items()},
        )
