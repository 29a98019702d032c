"""Doctor: each setting with its origin, the servers that answer, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from motia_celery.broker.server import BrokerFacts, broker_facts
from motia_celery.errors import FrameworkError
from motia_celery.model.problem import Problem
from motia_celery.settings import Settings, masked_url
from motia_celery.stores.redis import RedisFacts, server_facts

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting: its value with secrets masked, and where it came from."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What ``motia-celery doctor`` shows."""

    settings: tuple[Setting, ...]
    broker: BrokerFacts | None
    redis: RedisFacts | None
    connections: dict[str, str]
    problems: tuple[Problem, ...]


def examine(settings: Settings) -> Report:
    """Reads the settings, asks both servers, and lists what is wrong."""
    problems: list[Problem] = []
    broker = _asked(lambda: broker_facts(settings), problems)
    redis = _asked(lambda: server_facts(settings), problems)
    problems.extend(_server_problems(broker, redis))
    return Report(
        settings=tuple(_settings(settings)),
        broker=broker,
        redis=redis,
        connections=connections(settings),
        problems=tuple(problems),
    )


def _asked(ask: Callable[[], Any], problems: list[Problem]) -> Any:
    try:
        return ask()
    except FrameworkError as error:
        problems.append(Problem(file=error.where, what=error.what, fix=error.fix))
        return None


def _settings(settings: Settings) -> Iterator[Setting]:
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = masked_url(value.get_secret_value())
        yield Setting(name=name, value=str(value), origin=settings.origin(name))


def _server_problems(broker: BrokerFacts | None, redis: RedisFacts | None) -> Iterator[Problem]:
    for feature in broker.missing if broker else ():
        yield Problem(
            what=f"{broker.product if broker else ''} has no {feature}",
            fix="Upgrade the broker: without it, messages can be lost.",
        )
    policy = redis.maxmemory_policy if redis else None
    if policy not in (None, "noeviction"):
        yield Problem(
            what=f"Redis's maxmemory-policy is {policy!r}",
            fix="Set it to noeviction: with any other, state and schedules vanish when memory "
            "is short.",
        )


def connections(settings: Settings) -> dict[str, str]:
    """The most connections that each process opens, which hosted plans limit."""
    redis = settings.redis_max_connections
    if not settings.uses_rabbitmq:
        return {
            "web (each of WEB_CONCURRENCY)": f"up to {redis} for state, 2 as the broker",
            "worker": f"up to {redis} for state, 6 as the broker",
            "beat": "4 in all",
        }
    return {
        "web (each of WEB_CONCURRENCY)": f"1 to RabbitMQ, up to {redis} to Redis",
        "worker": f"3 to RabbitMQ (consume, publish, events), up to {redis} to Redis",
        "beat": "1 to RabbitMQ, 2 to Redis",
    }
