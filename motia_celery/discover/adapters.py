"""``redis`` and ``adapters`` of the project's config file: the servers that they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from motia_celery.model.problem import Problem
from motia_celery.model.project import Servers

#: The options of Motia's adapters that say where a server is.
_PLACE = frozenset(
    {"url", "host", "port", "username", "password", "db", "database", "socket", "connection"}
)
#: What they keep in Redis lies there in any case.
_KEPT_IN_REDIS = {"state", "streams", "cron"}
_FIXES = {
    "keyPrefix": "Keys begin with the setting `prefix`.",
    "prefix": "Keys and queues begin with the setting `prefix`.",
    "ttl": "Give single keys a life: state.set(group, key, value, {ttlSeconds}).",
    "concurrency": "Set infrastructure.queue.concurrency of a Step, or the setting `concurrency`.",
    "prefetch": "The setting `concurrency` says how many runs a worker has at once.",
    "exchangeName": "Events are on the exchange `<prefix>.events`; the setting `prefix` names it.",
    "exchangeType": "Events are on a topic exchange.",
    "defaultJobOptions": "Set maxRetries, or retry, of each Step.",
    "dlq": "Dead letters of all Steps are on one queue, `motia-celery dlq`.",
}
#: Options that need nothing said: connections are kept, and queues durable, in any case.
_MEANT_ANYWAY = frozenset(
    {"durable", "autoDelete", "connectionTimeout", "reconnectDelay", "deadLetterExchange"}
    | {"deadLetterRoutingKey", "enableHealthCheck", "instanceId"}
    | {"lockTTL", "lockRetryDelay", "lockRetryAttempts"}
)
_HOST, _PORT = "localhost", 6379


def servers_of(file: str, told: Mapping[str, Any]) -> Servers:
    """The servers of ``redis`` and of ``adapters``: the first that is named of each kind."""
    redis = told.get("redis")
    adapters = told.get("adapters") or {}
    named = [_redis_url(redis)] if isinstance(redis, Mapping) and _is_away(redis) else []
    named += [_redis_url(_options(each)) for each in adapters.values() if _is_redis(each)]
    brokers = [_options(each).get("url") for each in adapters.values() if _is_rabbitmq(each)]
    return Servers(
        file=file,
        redis_url=next((url for url in named if url), None),
        broker_url=next((str(url) for url in brokers if url), None),
    )


def adapter_problems(file: str, told: Mapping[str, Any]) -> Iterator[Problem]:
    """A warning for each adapter, and each option of one, that has no effect."""
    for kind, adapter in (told.get("adapters") or {}).items():
        if not (_is_redis(adapter) or _is_rabbitmq(adapter)):
            yield _no_adapter(file, kind, adapter)
            continue
        for option in _given(adapter):
            if option not in _PLACE | _MEANT_ANYWAY:
                yield Problem(
                    file=file,
                    what=f"the option {option!r} of {adapter['name']} has no effect",
                    fix=_FIXES.get(option, "Remove it; docs/settings.md lists what can be set."),
                    severity="warning",
                    field=f"adapters.{kind}",
                )


def _no_adapter(file: str, kind: str, adapter: Mapping[str, Any]) -> Problem:
    place = "in Redis" if kind in _KEPT_IN_REDIS else "on RabbitMQ or Redis"
    what = {"events": "events travel", "cron": "the clock's locks are"}.get(kind, f"{kind} are")
    return Problem(
        file=file,
        what=f"the adapter {adapter.get('name')} for {kind} is not used: {what} {place}",
        fix="Remove it, and name the servers: redis in this file, or REDIS_URL and AMQP_URL.",
        severity="warning",
        field=f"adapters.{kind}",
    )


def _is_redis(adapter: Mapping[str, Any]) -> bool:
    return "redis" in adapter.get("package", "") or "bullmq" in adapter.get("package", "")


def _is_rabbitmq(adapter: Mapping[str, Any]) -> bool:
    return "rabbitmq" in adapter.get("package", "")


def _is_away(redis: Mapping[str, Any]) -> bool:
    """Whether ``redis`` names a server, and not the one that the app starts itself."""
    return redis.get("useMemoryServer") is not True and bool(redis.get("host") or redis.get("url"))


def _given(adapter: Mapping[str, Any]) -> list[str]:
    parts = [part for part in adapter.get("options") or () if isinstance(part, Mapping)]
    return [name for part in parts for name in part]


def _options(adapter: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options that say where the server is: of the adapter, or of its connection."""
    parts = [part for part in adapter.get("options") or () if isinstance(part, Mapping)]
    options = parts[0] if parts else {}
    inner = options.get("connection")
    return inner if isinstance(inner, Mapping) else options


def _redis_url(options: Mapping[str, Any]) -> str | None:
    """The URL that node-redis's, or ioredis's, options describe."""
    if options.get("url"):
        return str(options["url"])
    socket = options.get("socket")
    place = {**options, **(socket if isinstance(socket, Mapping) else {})}
    if not place.get("host") and not place.get("port"):
        return None
    scheme = "rediss" if place.get("tls") else "redis"
    database = place.get("db", place.get("database")) or 0
    address = f"{place.get('host') or _HOST}:{place.get('port') or _PORT}"
    return f"{scheme}://{_credentials(place)}{address}/{database}"


def _credentials(place: Mapping[str, Any]) -> str:
    if not place.get("password"):
        return ""
    user = quote(str(place.get("username") or ""), safe="")
    return f"{user}:{quote(str(place['password']), safe='')}@"
