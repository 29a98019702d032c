"""Types of a ``config`` that is written as a dict, by which editors and type checkers know it.

``config: EventConfig = {"type": "event", …}``. At run time they are plain dicts; what is known here
is what ``config.py`` reads, field for field.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NotRequired, Required, TypedDict

if TYPE_CHECKING:
    from pydantic import BaseModel

    Schema = type[BaseModel] | Mapping[str, Any] | None
else:
    Schema = Any

Method = Literal["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"]
Middleware = Sequence[Callable[..., Any]]
Errors = Sequence[type[BaseException] | str]


class EmitDict(TypedDict):
    """An element of ``emits`` that labels its edge in the graph."""

    topic: str
    label: NotRequired[str]
    conditional: NotRequired[bool]


class QueryParamDict(TypedDict):
    """An element of ``queryParams``."""

    name: str
    description: NotRequired[str]


class HandlerDict(TypedDict, total=False):
    """``infrastructure.handler``."""

    ram: int | None
    timeout: float | None
    cpu: float | None
    isolated: bool | None


class QueueDict(TypedDict, total=False):
    """``infrastructure.queue``; times are seconds."""

    type: Literal["standard", "fifo"]
    maxRetries: int
    visibilityTimeout: float
    delaySeconds: float
    concurrency: int | None
    concurrencyKey: str | None
    rateLimit: str | None
    priority: int | None
    partitions: int


class HandlerInfrastructureDict(TypedDict, total=False):
    """``infrastructure`` of a Step without a queue of events."""

    handler: HandlerDict


class InfrastructureDict(HandlerInfrastructureDict, total=False):
    """``infrastructure`` of an event Step."""

    queue: QueueDict


class RetryDict(TypedDict, total=False):
    """``retry``; times are seconds."""

    maxAttempts: int | None
    backoff: Literal["exponential", "fixed"] | Sequence[float]
    delaySeconds: float
    maxDelaySeconds: float
    jitter: float | bool
    on: Errors
    never: Errors


class _StepDict(TypedDict, total=False):
    name: Required[str]
    description: str | None
    flows: Sequence[str]
    virtualEmits: Sequence[str | EmitDict]
    virtualSubscribes: Sequence[str]


class _RunningDict(_StepDict, total=False):
    emits: Sequence[str | EmitDict]
    includeFiles: Sequence[str]


class ApiRouteConfig(_RunningDict, total=False):
    """The dict of a Step that an HTTP request starts."""

    type: Required[Literal["api"]]
    path: Required[str]
    method: Required[Method]
    middleware: Middleware | None
    bodySchema: Schema
    responseSchema: Mapping[Any, Schema]
    queryParams: Sequence[QueryParamDict] | None
    validateBody: bool | None
    infrastructure: HandlerInfrastructureDict | None


class EventConfig(_RunningDict, total=False):
    """The dict of a Step that events start."""

    type: Required[Literal["event"]]
    subscribes: Required[Sequence[str]]
    input: Schema
    middleware: Middleware | None
    infrastructure: InfrastructureDict | None
    retry: RetryDict
    once: bool
    eventSchema: Literal["warn", "reject", "refuse"] | None


class CronConfig(_RunningDict, total=False):
    """The dict of a Step that the clock starts."""

    type: Required[Literal["cron"]]
    cron: Required[str]
    timezone: str | None
    infrastructure: HandlerInfrastructureDict | None
    retry: RetryDict


class NoopConfig(_StepDict, total=False):
    """The dict of a Step that only stands in the diagram."""

    type: Required[Literal["noop"]]
