"""The ``config`` of a Step with ``triggers``, as in Motia 1.0: one Step that several things start.

Keys may be camelCase or snake_case. Its queue triggers share the Step's one queue.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import Discriminator, Field, Tag, field_validator

from motia_celery.model.config import (
    EmitConfig,
    Emits,
    HttpConfig,
    RunningConfig,
    Schema,
    as_schema,
    emitted,
)
from motia_celery.model.kinds import KINDS
from motia_celery.model.options import (
    Config,
    CronExpression,
    QueueConfig,
    RetryConfig,
    TimezoneName,
)
from motia_celery.model.retry import RetryPolicy
from motia_celery.model.step import (
    LONGEST_DELAY_SECONDS,
    CronTrigger,
    EventTrigger,
    JsonSchema,
    QueueOptions,
    SchemaPolicy,
    StateTrigger,
    StreamTrigger,
    Trigger,
)
from motia_celery.model.topic import pattern_fault


class HttpTriggerConfig(HttpConfig):
    """``{"type": "http", "method": …, "path": …}``."""

    type: Literal["http", "api"] = "http"
    condition: Any = None


class QueueTriggerOptions(QueueConfig):
    """``config`` of a queue trigger: of the queue, and how long a failed run waits."""

    backoff_type: Literal["exponential", "fixed"] = "exponential"
    backoff_delay_ms: float | None = Field(default=None, ge=0, le=LONGEST_DELAY_SECONDS * 1000)

    def retry_policy(self) -> RetryPolicy:
        """How a failed run is tried again."""
        if self.backoff_delay_ms is None:
            return RetryConfig(backoff=self.backoff_type).policy(self.max_retries)
        delay = self.backoff_delay_ms / 1000
        retry = RetryConfig(backoff=self.backoff_type, delay_seconds=delay)
        longest = max(delay, retry.max_delay_seconds)
        return retry.model_copy(update={"max_delay_seconds": longest}).policy(self.max_retries)


class QueueTriggerConfig(Config):
    """``{"type": "queue", "topic": …}``."""

    type: Literal["queue", "event"] = "queue"
    topic: str
    input: Schema = None
    config: QueueTriggerOptions = Field(default_factory=QueueTriggerOptions)
    condition: Any = None

    @field_validator("topic")
    @classmethod
    def _valid_topic(cls, topic: str) -> str:
        fault = pattern_fault(topic)
        if fault:
            raise ValueError(fault)
        return topic

    @field_validator("input", mode="before")
    @classmethod
    def _input(cls, value: Any) -> Any:
        as_schema(value)
        return value  # a model is kept: the handler gets an instance of it

    @field_validator("config", mode="before")
    @classmethod
    def _no_config(cls, value: Any) -> Any:
        return value or {}

    def event_trigger(self, options: QueueOptions) -> EventTrigger:
        """The trigger, on a queue with these options."""
        schema = cast(JsonSchema | None, as_schema(self.input))
        return EventTrigger(topics=(self.topic,), input_schema=schema, queue=options)


class CronTriggerConfig(Config):
    """``{"type": "cron", "expression": …}``; ``timezone`` is an IANA name."""

    type: Literal["cron"] = "cron"
    expression: CronExpression
    timezone: TimezoneName | None = None
    condition: Any = None


class StateTriggerConfig(Config):
    """``{"type": "state"}``."""

    type: Literal["state"] = "state"
    condition: Any = None


class StreamTriggerConfig(Config):
    """``{"type": "stream", "streamName": …}``."""

    type: Literal["stream"] = "stream"
    stream_name: str
    group_id: str | None = None
    item_id: str | None = None
    condition: Any = None


def _kind(value: Any) -> str | None:
    kind = value.get("type") if isinstance(value, Mapping) else getattr(value, "type", None)
    found = KINDS.get(kind) if isinstance(kind, str) else None
    return f"<{found}>" if found else None


TriggerConfig = Annotated[
    Annotated[HttpTriggerConfig, Tag("<http>")]
    | Annotated[QueueTriggerConfig, Tag("<queue>")]
    | Annotated[CronTriggerConfig, Tag("<cron>")]
    | Annotated[StateTriggerConfig, Tag("<state>")]
    | Annotated[StreamTriggerConfig, Tag("<stream>")],
    Discriminator(
        _kind,
        custom_error_type="trigger_type",
        custom_error_message="expected a trigger whose type is http, queue, cron, state or stream",
    ),
]

# What may be given differs from what is kept: a dict becomes an object, a list a tuple.
if TYPE_CHECKING:
    Triggers = Sequence[Any]
else:
    Triggers = tuple[TriggerConfig, ...]


class TriggersStep(RunningConfig):
    """Config of a Step with a list of triggers.

    ``enqueues`` are the topics that it emits. ``retry`` comes before what its queue triggers say.
    """

    triggers_: Triggers = Field(alias="triggers")
    enqueues: Emits = ()
    virtual_enqueues: Emits = ()
    retry: RetryConfig | None = None
    once: bool = False
    event_schema: SchemaPolicy | None = None

    @field_validator("enqueues", "virtual_enqueues", mode="before")
    @classmethod
    def _none_enqueued(cls, value: Any) -> Any:
        return value or ()

    @field_validator("enqueues")
    @classmethod
    def _enqueued_topics(cls, emits: tuple[str | EmitConfig, ...]) -> tuple[str | EmitConfig, ...]:
        return emitted(emits)

    def retry_policy(self) -> RetryPolicy:
        """``retry``, or what the first queue trigger says; without one there is one attempt."""
        queue = self._queue()
        if self.retry is not None:
            return self.retry.policy(queue.max_retries if queue else 0)
        return queue.retry_policy() if queue else RetryPolicy(max_attempts=1)

    def triggers(self) -> tuple[Trigger, ...]:
        """One trigger for each in the list, in its order."""
        queue = self._queue()
        options = queue.options() if queue else QueueOptions()
        return tuple(_trigger(trigger, options) for trigger in self.triggers_)

    def outgoing(self) -> Emits:
        """``enqueues``, and ``emits`` where it has some."""
        return (*self.emits, *self.enqueues)

    def drawn(self) -> Emits:
        """The topics that it emits in the diagram alone."""
        return (*self.virtual_emits, *self.virtual_enqueues)

    def differing(self) -> Iterator[int]:
        """The indexes of queue triggers whose options are not those of the Step's queue."""
        queue = self._queue()
        for index, trigger in enumerate(self.triggers_):
            if isinstance(trigger, QueueTriggerConfig) and trigger.config != queue:
                yield index

    def _queue(self) -> QueueTriggerOptions | None:
        queues = (t.config for t in self.triggers_ if isinstance(t, QueueTriggerConfig))
        return next(queues, None)


def _trigger(config: Any, options: QueueOptions) -> Trigger:
    match config:
        case HttpTriggerConfig():
            return config.http_trigger()
        case QueueTriggerConfig():
            return config.event_trigger(options)
        case CronTriggerConfig():
            return CronTrigger(expression=config.expression, timezone=config.timezone)
        case StreamTriggerConfig():
            return StreamTrigger(
                stream=config.stream_name, group=config.group_id, item=config.item_id
            )
        case _:
            return StateTrigger()
