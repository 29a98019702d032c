"""Connections to the broker, and the errors of it in words that a person can act on."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from amqp.exceptions import AccessRefused, NotAllowed
from kombu import Connection
from kombu.exceptions import OperationalError

from motia_celery.broker.unreadable import ReadableFrames
from motia_celery.errors import BrokerUnavailableError, SettingsError
from motia_celery.settings import Settings, masked_url
from motia_celery.stores.connections import authority_file, connection_name, redis_tls, tls_fix

CONNECT_TIMEOUT_SECONDS = 5
CHECK_TIMEOUT_SECONDS = 3
HEARTBEAT_SECONDS = 30

_SHAPES = {
    True: "amqp://user:password@host:5672/vhost, or amqps:// for TLS",
    False: "redis://user:password@host:6379/0, or rediss:// for TLS",
}


def transport_options(settings: Settings) -> dict[str, Any]:
    """kombu's options for the broker that the settings select."""
    name = connection_name(settings)
    if settings.uses_rabbitmq:
        return {
            "client_properties": {"connection_name": name},
            "frame_handler": ReadableFrames(),
        }
    return {
        "client_name": name,
        # Every key that kombu makes lies under the app's prefix, so that another Celery app
        # on the same Redis neither sees nor restores our messages.
        "global_keyprefix": f"{settings.prefix}:broker:",
        "visibility_timeout": 3600,
        # With kombu's defaults a message of a killed worker comes back after 100 s.
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "socket_keepalive": True,
    }


def tls_options(settings: Settings) -> dict[str, Any] | bool:
    """The ``ssl`` argument of a broker connection; False for one without TLS.

    Raises:
        SettingsError: ``tls_ca_file`` is no file.
    """
    url = settings.broker
    if url.startswith("rediss://"):
        return redis_tls(settings)
    if not url.startswith("amqps://"):
        return False
    if not settings.broker_tls_verify:
        return {"cert_reqs": ssl.CERT_NONE}
    authority = authority_file(settings)
    return {
        "cert_reqs": ssl.CERT_REQUIRED,
        # The name to find in the certificate. Left to itself, kombu checks none, and asked to
        # find it, it takes 127.0.0.1 for localhost.
        "server_hostname": urlsplit(url).hostname,
        # Without one, py-amqp loads the system's authorities.
        **({"ca_certs": str(authority)} if authority else {}),
    }


def open_connection(settings: Settings) -> Connection:
    """A connection of its own to the broker, not yet established.

    Raises:
        SettingsError: no broker is set, or its URL can not be understood.
    """
    return _connection(settings, CONNECT_TIMEOUT_SECONDS)


def _connection(settings: Settings, timeout_seconds: float, **options: Any) -> Connection:
    try:
        connection = Connection(
            settings.broker,
            ssl=tls_options(settings),
            connect_timeout=timeout_seconds,
            heartbeat=HEARTBEAT_SECONDS,
            transport_options=transport_options(settings) | options,
        )
        if settings.broker.startswith("redis"):
            int((connection.virtual_host or "").strip("/") or 0)  # the number of the database
    except (ValueError, TypeError):
        # The error's own words may hold a part of the password.
        raise SettingsError(
            "can not be understood.",
            _setting(settings),
            f"Write {_SHAPES[settings.uses_rabbitmq]}, without ?options; in the password, "
            "/ is %2F, # is %23 and ? is %3F.",
        ) from None
    return connection


@contextmanager
def checked_connection(settings: Settings, **options: Any) -> Iterator[Connection]:
    """A connection that was established just now, at the first try; ``options`` are kombu's.

    Raises:
        BrokerUnavailableError: the broker does not answer, or refuses.
        SettingsError: no broker is set, or its URL can not be understood.
    """
    seconds = CHECK_TIMEOUT_SECONDS
    limits = options
    if not settings.uses_rabbitmq:
        limits = {**options, "socket_timeout": seconds, "socket_connect_timeout": seconds}
    with broker_errors(settings), _connection(settings, seconds, **limits) as connection:
        connection.ensure_connection(max_retries=0, timeout=seconds)
        yield connection


def speaks_amqp(connection: Connection) -> bool:
    """Whether it is RabbitMQ's protocol, and not a Redis one."""
    return bool(connection.transport.driver_type == "amqp")


@contextmanager
def broker_errors(settings: Settings) -> Iterator[None]:
    """Turns the many errors of a broker that is away into :class:`BrokerUnavailableError`."""
    try:
        yield
    except (AccessRefused, NotAllowed, OperationalError, OSError) as error:
        cause = error.__cause__ or error  # kombu wraps the errors of its own connecting
        refused = isinstance(cause, (AccessRefused, NotAllowed))
        raise (_refusal(cause, settings) if refused else _silence(error, settings)) from error


@contextmanager
def named_faults(connection: Connection) -> Iterator[None]:
    """Makes what a connection fails with an error that :func:`broker_errors` knows."""
    faults = {*connection.connection_errors, *connection.channel_errors} - {KeyError}
    try:
        yield
    except tuple(faults) as error:
        raise OperationalError(str(error)) from error


def _refusal(error: Any, settings: Settings) -> BrokerUnavailableError:
    return BrokerUnavailableError(
        f"the broker refuses the connection ({error.reply_text}).",
        masked_url(settings.broker),
        f"Correct user, password and virtual host in {_setting(settings)}.",
    )


def _silence(error: BaseException, settings: Settings) -> BrokerUnavailableError:
    verify = "broker_tls_verify" if settings.uses_rabbitmq else "redis_tls_verify"
    return BrokerUnavailableError(
        f"the broker does not answer ({_kind(error)}: {error}).",
        masked_url(settings.broker),
        tls_fix(error, verify) or f"Start it, or correct {_setting(settings)}.",
    )


def _kind(error: BaseException) -> str:
    """The class of the error that kombu wrapped in its own."""
    return type(error.__cause__ or error).__name__


def _setting(settings: Settings) -> str:
    """The setting that names the broker, and where its value came from."""
    field = "broker_url" if settings.broker_url else "redis_url"
    return f"{field} ({settings.origin(field)})"
