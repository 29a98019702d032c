"""Doctor: each setting with its origin, the servers that answer, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from motia_celery.broker.server import PATIENCE, RABBITMQ, BrokerFacts, broker_facts
from motia_celery.discover.absent import absent_languages
from motia_celery.errors import FrameworkError
from motia_celery.model.problem import Problem
from motia_celery.plan.topology import CONSUMER_TIMEOUT_SECONDS, longest_run_seconds
from motia_celery.run.vitals import Bounds, Vitals, take_vitals
from motia_celery.settings import Settings, masked_url
from motia_celery.stores.redis import RedisFacts, server_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from motia_celery.model.step import Step
    from motia_celery.plan import Plan

_WEB = "web (each of WEB_CONCURRENCY)"
_PARENT, _CHILD = "worker (its parent)", "worker (each pool process)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting: its value with secrets masked, and where it came from."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """The most connections that one process opens; ``rabbitmq`` is 0 where Redis is the broker."""

    process: str
    rabbitmq: int
    redis: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What ``motia-celery doctor`` shows; ``broker`` and ``redis`` are None if away."""

    settings: tuple[Setting, ...]
    broker: BrokerFacts | None
    redis: RedisFacts | None
    connections: tuple[Connections, ...]
    problems: tuple[Problem, ...]
    live: Vitals | None = None

    @property
    def exit_code(self) -> int:
        """0 if all is well, 1 if something must be done, 3 if a server does not answer: then not
        everything could be looked at.
        """
        if self.live is not None and (self.broker is None or self.redis is None):
            return 3
        found = self.live.problems if self.live else ()
        return 1 if self.problems or any(p.severity == "error" for p in found) else 0

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        """The problems, those of the running app too."""
        return (*self.problems, *(self.live.problems if self.live else ()))

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON-ready fields."""
        fields = asdict(self) | {"problems": [p.as_dict() for p in self.all_problems]}
        if self.live is None:
            del fields["live"]
        else:
            del fields["live"]["problems"]
        return fields


def examine(
    settings: Settings, plan: Callable[[], Plan] | None = None, bounds: Bounds | None = None
) -> Report:
    """Reads the settings, asks both servers, and lists what is wrong; with ``bounds`` also what
    is wrong with the app of ``plan`` as it runs.

    Without them ``plan`` is asked only where the broker is too old for some Steps.
    """
    problems: list[Problem] = []
    broker = _asked(lambda: broker_facts(settings), problems)
    redis = _asked(lambda: server_facts(settings), problems)
    problems.extend(_broker_problems(broker))
    if broker and not broker.features.get(PATIENCE, True):
        problems.extend(_long_runs(broker, _steps(plan)))
    problems.extend(_redis_problems(redis))
    problems.extend(absent_languages(settings.project_root))
    return Report(
        settings=tuple(_settings(settings)),
        broker=broker,
        redis=redis,
        connections=connections(settings),
        problems=tuple(problems),
        live=_live(settings, plan, bounds, redis) if plan and bounds else None,
    )


def _live(
    settings: Settings, plan: Callable[[], Plan], bounds: Bounds, redis: RedisFacts | None
) -> Vitals:
    if redis is None:  # what the app counted is not known, nor what is paused
        return Vitals(queues=(), dead_letters=None, new_dead_letters=None, beat=None, problems=())
    return take_vitals(settings, plan(), bounds)


def _steps(plan: Callable[[], Plan] | None) -> Iterable[Step]:
    """The Steps of the app; none where it can not be read, of which `check` tells."""
    try:
        return plan().steps if plan is not None else ()
    except FrameworkError:
        return ()


def _asked(ask: Callable[[], Any], problems: list[Problem]) -> Any:
    try:
        return ask()
    except FrameworkError as error:
        problems.append(Problem(file=error.where, what=error.what, fix=error.fix))
        return None


def _settings(settings: Settings) -> Iterator[Setting]:
    for name in Settings.model_fields:
        yield Setting(
            name=name, value=_shown(name, getattr(settings, name)), origin=settings.origin(name)
        )


def _shown(name: str, value: Any) -> str:
    if isinstance(value, SecretStr):
        return masked_url(value.get_secret_value()) if name.endswith("_url") else "***"
    if isinstance(value, tuple):
        return ", ".join(value)
    return "" if value is None else str(value)


def _broker_problems(broker: BrokerFacts | None) -> Iterator[Problem]:
    if broker is None:
        return
    for feature in broker.missing:
        yield Problem(
            what=f"{broker.product} {broker.version} has no {feature}.",
            fix="Upgrade the broker: without it, messages can be lost.",
        )
    if not broker.features and not broker.product.endswith("transport"):
        yield Problem(
            what=f"the broker is {broker.product}, not {RABBITMQ}.",
            fix="What its queues keep when it stops is not known here; try it out first.",
            severity="warning",
        )


def _long_runs(broker: BrokerFacts, steps: Iterable[Step]) -> Iterator[Problem]:
    for step in steps:
        seconds = longest_run_seconds(step)
        if step.is_queued and seconds > CONSUMER_TIMEOUT_SECONDS:
            limit = CONSUMER_TIMEOUT_SECONDS // 60
            yield Problem(
                file=step.file,
                what=f"a run of {step.name!r} may take {seconds / 60:.0f} minutes; {RABBITMQ} "
                f"{broker.version} ends a delivery after {limit} and starts the run again, unless "
                "its consumer_timeout is longer, which can not be seen from here.",
                fix="Raise consumer_timeout in rabbitmq.conf, or upgrade to 3.12 or newer, where "
                "the Step's queue has a limit of its own.",
                severity="warning",
            )


def _redis_problems(redis: RedisFacts | None) -> Iterator[Problem]:
    policy = redis.maxmemory_policy if redis else None
    if policy not in (None, "noeviction"):
        yield Problem(
            what=f"Redis's maxmemory-policy is {policy!r}.",
            fix="Set it to noeviction: with any other, state and schedules vanish when memory "
            "is short.",
        )


def connections(settings: Settings) -> tuple[Connections, ...]:
    """The most connections that each process opens, which hosted plans limit."""
    return tuple(_on_rabbitmq(settings) if settings.uses_rabbitmq else _on_redis(settings))


# tests/integration/test_connections.py counts them under load. State's are capped by
# `redis_max_connections`, and each pool process of prefork has its own; one more is that by which
# values are read and stored directly.


def _on_rabbitmq(settings: Settings) -> Iterator[Connections]:
    state = settings.redis_max_connections + int(settings.direct)
    # Handlers' events go out by a connection of their own where they go directly.
    direct = int(settings.direct)
    # It publishes, and looks at the broker when a health check and when a scraper asks, each once
    # at a time. Three more connections to Redis, here and in a worker: the outbox, the metrics and
    # the records of runs.
    yield Connections(process=_WEB, rabbitmq=3 + direct, redis=state + 3)
    # A worker consumes (also directly), tells what it does, answers `inspect`, and publishes. It
    # hears of pauses by a connection of its own, and reads them by another one.
    if settings.pool == "prefork":
        yield Connections(process=_PARENT, rabbitmq=4, redis=3)
        yield Connections(process=_CHILD, rabbitmq=1 + direct, redis=state + 4)
    else:
        yield Connections(process="worker", rabbitmq=4 + 2 * direct, redis=state + 5)
    yield Connections(process="beat", rabbitmq=1, redis=3)


def _on_redis(settings: Settings) -> Iterator[Connections]:
    state = settings.redis_max_connections + int(settings.direct)
    # kombu has a connection for each kind of command; delayed messages have up to two more.
    yield Connections(process=_WEB, rabbitmq=0, redis=state + 8)
    if settings.pool == "prefork":
        yield Connections(process=_PARENT, rabbitmq=0, redis=16)
        yield Connections(process=_CHILD, rabbitmq=0, redis=state + 7)
    else:
        yield Connections(process="worker", rabbitmq=0, redis=state + 19)
    yield Connections(process="beat", rabbitmq=0, redis=5)
