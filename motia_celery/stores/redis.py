"""Clients for Redis (or Valkey), and what the server says about itself.

Connections are few and capped: a pool that is used up makes its callers wait, and a
connection that broke is made again with growing pauses before the caller hears of it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import redis
import redis.asyncio
import redis.asyncio.retry
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from motia_celery.errors import SettingsError, StoreUnavailableError
from motia_celery.stores.connections import connection_name, redis_tls, tls_fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from motia_celery.settings import Settings

CONNECT_TIMEOUT_SECONDS = 5.0
ANSWER_TIMEOUT_SECONDS = 10.0
CHECK_TIMEOUT_SECONDS = 3.0
POOL_WAIT_SECONDS = 20.0
HEALTH_CHECK_SECONDS = 30
RETRIES = 4

_SCHEMES = ("redis://", "rediss://", "unix://")
_FIX = "Is Redis running, and is REDIS_URL right?"


#: A client for code on an event loop, as :func:`connect` gives it.
AsyncClient = redis.asyncio.Redis
SyncClient = redis.Redis


@dataclass(frozen=True)
class RedisFacts:
    """What a Redis server says about itself; None where it keeps it to itself."""

    software: str
    version: str
    maxmemory_policy: str | None
    connected_clients: int | None
    max_clients: int | None


def connect(settings: Settings) -> redis.asyncio.Redis:
    """A client for one event loop, with at most ``redis_max_connections`` connections.

    It connects at the first command. Replies are bytes. Close it with ``aclose()``.

    Raises:
        SettingsError: no Redis is set, or its URL can not be understood.
    """
    retry = redis.asyncio.retry.Retry(_backoff(), RETRIES)
    pool = _pool(redis.asyncio.BlockingConnectionPool, settings, retry)
    return redis.asyncio.Redis.from_pool(pool)


def connect_sync(settings: Settings) -> redis.Redis:
    """The same as :func:`connect` for threads: safe to share between them."""
    pool = _pool(redis.BlockingConnectionPool, settings, Retry(_backoff(), RETRIES))
    return redis.Redis.from_pool(pool)


async def ping(client: redis.asyncio.Redis) -> None:
    """Return once the server has answered.

    Raises:
        StoreUnavailableError: it does not.
    """
    with reaching(client):
        await client.ping()


def ping_sync(client: redis.Redis) -> None:
    """Return once the server has answered.

    Raises:
        StoreUnavailableError: it does not.
    """
    with reaching(client):
        client.ping()


def server_facts(settings: Settings) -> RedisFacts:
    """What the server of ``settings`` says about itself.

    Raises:
        StoreUnavailableError: it does not answer.
    """
    client = connect_briefly(settings)
    try:
        with reaching(client):
            info = _info(client)
        return _facts(info, info.get("maxmemory_policy") or _configured_policy(client))
    finally:
        client.close()


@contextmanager
def reaching(client: Any) -> Iterator[None]:
    """Turn any fault of the client's server into ``StoreUnavailableError``, password unseen."""
    try:
        yield
    except (RedisError, OSError) as error:
        fix = tls_fix(error, "redis_tls_verify") or _FIX
        raise StoreUnavailableError(f"{_reason(error)}.", address(client), fix) from error


def address(client: Any) -> str:
    """The URL of the client's server, without user and password."""
    known = client.connection_pool.connection_kwargs
    if "path" in known:
        return f"unix://{known['path']}"
    scheme = "rediss" if "ssl_cert_reqs" in known else "redis"
    host, port = known.get("host", "localhost"), known.get("port", 6379)
    return f"{scheme}://{host}:{port}/{known.get('db') or 0}"


def _reason(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__


def _backoff() -> ExponentialBackoff:
    return ExponentialBackoff(cap=1.0, base=0.05)


def retry_once() -> Retry:
    """One more try at once, for a connection that Redis has closed meanwhile."""
    return Retry(NoBackoff(), 1)


def connect_briefly(settings: Settings, connections: int | None = None) -> redis.Redis:
    """A client for threads that asks once, for 3 seconds: somebody waits for the answer.

    ``connections`` is the most that it opens, where that is not ``redis_max_connections``.
    """
    timeouts = dict.fromkeys(("socket_timeout", "socket_connect_timeout"), CHECK_TIMEOUT_SECONDS)
    if settings.redis.startswith("unix://"):
        del timeouts["socket_connect_timeout"]
    most = {"max_connections": connections} if connections else {}
    retry = Retry(NoBackoff(), 0)
    pool = _pool(redis.BlockingConnectionPool, settings, retry, **timeouts, **most)
    return redis.Redis.from_pool(pool)


def _pool(pool_class: Any, settings: Settings, retry: Any, **options: Any) -> Any:
    url = settings.redis
    if not url.startswith(_SCHEMES):
        raise SettingsError(
            "is no Redis URL.",
            f"redis_url ({settings.origin('redis_url')})",
            "Write redis://host:6379/0, or rediss:// for TLS.",
        )
    try:
        pool = pool_class.from_url(
            url,
            timeout=POOL_WAIT_SECONDS,
            retry=retry,
            **{"max_connections": settings.redis_max_connections}
            | _connection_options(settings, url)
            | options,
        )
        _require_database_number(url)
        pool.connection_class(**pool.connection_kwargs)  # refuses what the URL's query holds
    except (ValueError, TypeError, RedisError):
        # The error's own words may hold a part of the password.
        raise SettingsError(
            "can not be understood.",
            f"redis_url ({settings.origin('redis_url')})",
            "Write redis://user:password@host:port/database; in the password, / is %2F, "
            "# is %23 and ? is %3F. TLS is set by rediss://, tls_ca_file and redis_tls_verify.",
        ) from None
    return pool


def _require_database_number(url: str) -> None:
    """Raises ValueError for a word, which redis-py would take for database 0."""
    if not url.startswith("unix://"):
        int(urlsplit(url).path.strip("/") or 0)


def _connection_options(settings: Settings, url: str) -> dict[str, Any]:
    options: dict[str, Any] = {
        # RESP2 is spoken by every server and proxy; newer clients would ask for RESP3 by HELLO.
        "protocol": 2,
        "decode_responses": False,
        "socket_timeout": ANSWER_TIMEOUT_SECONDS,
        "health_check_interval": HEALTH_CHECK_SECONDS,
        "client_name": connection_name(settings),
    }
    if not url.startswith("unix://"):
        options["socket_connect_timeout"] = CONNECT_TIMEOUT_SECONDS
        options["socket_keepalive"] = True
    if url.startswith("rediss://"):
        options.update(redis_tls(settings))
    return options


def _info(client: redis.Redis) -> dict[str, Any]:
    info: dict[str, Any] = {}
    for section in ("server", "clients", "memory"):
        info.update(client.info(section))
    return info


def _configured_policy(client: redis.Redis) -> str | None:
    """The policy by CONFIG, which hosted servers forbid and old ones need."""
    try:
        policy = client.config_get("maxmemory-policy")
    except ResponseError:
        return None
    text = policy.get("maxmemory-policy")
    return str(text) if text else None


def _facts(info: dict[str, Any], policy: str | None) -> RedisFacts:
    is_valkey = info.get("server_name") == "valkey"
    version = info.get("valkey_version") if is_valkey else info.get("redis_version")
    return RedisFacts(
        software="valkey" if is_valkey else "redis",
        version=str(version or "unknown"),
        maxmemory_policy=policy,
        connected_clients=_number(info.get("connected_clients")),
        max_clients=_number(info.get("maxclients")),
    )


def _number(value: Any) -> int | None:
    return None if value is None else int(value)
