"""The options that a Step's ``config`` may hold: of its handler, its queue and its retries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from motia_celery.model.cron import cron_fault, timezone_fault
from motia_celery.model.retry import (
    DEFAULT_BACKOFF_CAP_SECONDS,
    DEFAULT_BACKOFF_SECONDS,
    Backoff,
    RetryPolicy,
)
from motia_celery.model.step import (
    DEFAULT_PARTITIONS,
    LONGEST_DELAY_SECONDS,
    QueueOptions,
    Rate,
)


def _valid_cron(expression: str) -> str:
    fault = cron_fault(expression)
    if fault:
        raise ValueError(fault)
    return expression


def _valid_timezone(name: str) -> str:
    fault = timezone_fault(name) if name else None
    if fault:
        raise ValueError(fault)
    return name


CronExpression = Annotated[str, AfterValidator(_valid_cron)]
#: An IANA name; empty is none.
TimezoneName = Annotated[str, AfterValidator(_valid_timezone)]


class Config(BaseModel):
    """Keeps unknown keys, so that they can be reported instead of refused."""

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        populate_by_name=True,
        alias_generator=to_camel,
        arbitrary_types_allowed=True,
        allow_inf_nan=False,
    )


Seconds = Annotated[float, Field(ge=0, le=LONGEST_DELAY_SECONDS)]


class HandlerConfig(Config):
    """``infrastructure.handler``; ``ram`` and ``cpu`` belong to Motia's cloud and are not used."""

    ram: int | None = Field(default=None, ge=128, le=10240)
    timeout: float | None = Field(default=None, gt=0, le=86400)
    cpu: float | None = None
    isolated: bool | None = Field(default=None, strict=True)


class QueueConfig(Config):
    """``infrastructure.queue``; times are seconds.

    ``concurrency`` and ``rateLimit`` count in all workers together. ``concurrencyKey`` is a path
    into the data, such as ``customer.id``: each of its values has a concurrency of its own.
    ``partitions`` is how many groups of a fifo queue run at once.
    """

    type: Literal["standard", "fifo"] = "standard"
    max_retries: int = Field(default=3, ge=0)
    visibility_timeout: float = Field(default=900, gt=0)
    delay_seconds: Seconds = 0
    concurrency: int | None = Field(default=None, gt=0)
    concurrency_key: str | None = Field(default=None, min_length=1)
    rate_limit: str | None = None
    priority: int | None = Field(default=None, ge=0, le=9)
    partitions: int = Field(default=DEFAULT_PARTITIONS, ge=1, le=256)

    @field_validator("rate_limit")
    @classmethod
    def _valid_rate(cls, value: str | None) -> str | None:
        if value is not None:
            Rate.parse(value)
        return value

    @model_validator(mode="after")
    def _key_of_a_limit(self) -> Self:
        if self.concurrency_key and self.concurrency is None:
            raise ValueError("concurrencyKey needs a concurrency, which each of its values gets")
        return self

    def options(self) -> QueueOptions:
        """The options as a value."""
        return QueueOptions(
            type=self.type,
            visibility_timeout_seconds=self.visibility_timeout,
            delay_seconds=self.delay_seconds,
            concurrency=self.concurrency,
            concurrency_key=self.concurrency_key,
            rate=Rate.parse(self.rate_limit) if self.rate_limit else None,
            priority=self.priority,
            partitions=self.partitions,
        )


class HandlerInfrastructureConfig(Config):
    """``infrastructure`` of a Step without a queue of events."""

    handler: HandlerConfig = Field(default_factory=HandlerConfig)


class InfrastructureConfig(HandlerInfrastructureConfig):
    """``infrastructure`` of an event Step."""

    queue: QueueConfig = Field(default_factory=QueueConfig)


def _error_name(value: Any) -> Any:
    """The name of an exception class; a name stays as it is."""
    return value.__name__ if isinstance(value, type) else value


ErrorName = Annotated[str, BeforeValidator(_error_name), Field(min_length=1)]


def _backoff_form(value: Any) -> str:
    return "<growth>" if isinstance(value, str) else "<list>"


# What may be given differs from what is kept: a list becomes a tuple, an exception its name.
if TYPE_CHECKING:
    Errors = Sequence[type[BaseException] | str]
    Waits = Literal["exponential", "fixed"] | Sequence[float]
else:
    Errors = tuple[ErrorName, ...]
    Waits = Annotated[
        Annotated[Literal["exponential", "fixed"], Tag("<growth>")]
        | Annotated[tuple[Seconds, ...], Field(min_length=1), Tag("<list>")],
        Discriminator(_backoff_form),
    ]


class RetryConfig(Config):
    """``retry``: which errors are tried again, how often, and after how many seconds.

    ``backoff`` is how the waits grow from ``delaySeconds`` to ``maxDelaySeconds``, or a list of
    them. ``jitter`` is the largest part of a wait that is taken off at random; true is a half.
    ``on`` and ``never`` hold exception classes, or their names.
    """

    max_attempts: int | None = Field(default=None, ge=1)
    backoff: Waits = "exponential"
    delay_seconds: Seconds = DEFAULT_BACKOFF_SECONDS
    max_delay_seconds: Seconds = DEFAULT_BACKOFF_CAP_SECONDS
    jitter: float = Field(default=0.5, ge=0, le=1)
    on: Errors = ()
    never: Errors = ()

    @field_validator("jitter", mode="before")
    @classmethod
    def _switch(cls, value: Any) -> Any:
        return value / 2 if isinstance(value, bool) else value

    def policy(self, max_retries: int) -> RetryPolicy:
        """The policy; ``max_retries`` counts where ``maxAttempts`` is not given."""
        backoff = cast(Backoff, self.backoff)
        return RetryPolicy(
            max_attempts=self.max_attempts or max_retries + 1,
            backoff=backoff,
            backoff_seconds=self.delay_seconds,
            # A list says itself how long its waits are.
            backoff_cap_seconds=(
                max(backoff) if isinstance(backoff, tuple) else self.max_delay_seconds
            ),
            jitter=self.jitter,
            only=cast(tuple[str, ...], self.on),
            never=cast(tuple[str, ...], self.never),
        )
