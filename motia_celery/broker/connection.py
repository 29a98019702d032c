"""Connections to the broker, and the errors of it in words that a person can act on."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kombu import Connection
from kombu.exceptions import OperationalError

from motia_celery.errors import BrokerUnavailableError
from motia_celery.settings import Settings, masked_url

CONNECT_TIMEOUT_SECONDS = 5
HEARTBEAT_SECONDS = 30


def transport_options(settings: Settings) -> dict[str, Any]:
    """kombu's options for the broker that the settings select."""
    if settings.uses_rabbitmq:
        return {"client_properties": {"connection_name": f"{settings.prefix}"}}
    return {
        # Every key that kombu makes lies under the app's prefix, so that another Celery app
        # on the same Redis neither sees nor restores our messages.
        "global_keyprefix": f"{settings.prefix}:broker:",
        # With kombu's defaults a message of a killed worker comes back after 100 s.
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "socket_keepalive": True,
    }


def tls_options(settings: Settings) -> dict[str, Any] | bool:
    """The ``ssl`` argument of a broker connection; False for one without TLS."""
    url = settings.broker
    if url.startswith("amqps"):
        verify = settings.broker_tls_verify
    elif url.startswith("rediss"):
        verify = settings.redis_tls_verify
    else:
        return False
    if not verify:
        return _tls_keys(url, {"cert_reqs": ssl.CERT_NONE})
    paths = ssl.get_default_verify_paths()
    authority = str(settings.tls_ca_file or paths.cafile or paths.openssl_cafile)
    return _tls_keys(url, {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": authority})


def _tls_keys(url: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options under the names that each transport reads."""
    if url.startswith("rediss"):
        return {f"ssl_{name}": value for name, value in options.items()}
    check = options["cert_reqs"] == ssl.CERT_REQUIRED
    # kombu fills in the host's name where the key is there and None.
    return {**options, "server_hostname": None, "check_hostname": check}


def open_connection(settings: Settings) -> Connection:
    """A connection of its own to the broker, not yet established."""
    return Connection(
        settings.broker,
        ssl=tls_options(settings),
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        heartbeat=HEARTBEAT_SECONDS,
        transport_options=transport_options(settings),
    )


def speaks_amqp(connection: Connection) -> bool:
    """Whether it is RabbitMQ's protocol, and not a Redis one."""
    return bool(connection.transport.driver_type == "amqp")


@contextmanager
def broker_errors(settings: Settings) -> Iterator[None]:
    """Turns the many errors of a broker that is away into :class:`BrokerUnavailableError`."""
    try:
        yield
    except (OperationalError, OSError) as error:
        raise BrokerUnavailableError(
            f"the broker does not answer ({type(error).__name__}: {error}).",
            masked_url(settings.broker),
            f"Start it, or correct {settings.origin('broker_url')}.",
        ) from error
