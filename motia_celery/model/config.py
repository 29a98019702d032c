"""The ``config`` of a Step or stream file, as typed objects.

Field names are Motia's (camelCase) in a dict; the typed objects take snake_case as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import (
    BaseModel,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from motia_celery.model.options import (
    Config,
    CronExpression,
    HandlerInfrastructureConfig,
    InfrastructureConfig,
    RetryConfig,
    TimezoneName,
)
from motia_celery.model.path import METHODS, path_fault
from motia_celery.model.retry import (
    RetryPolicy,
)
from motia_celery.model.step import (
    CronTrigger,
    EventTrigger,
    HttpTrigger,
    JsonSchema,
    QueryParam,
    SchemaPolicy,
    Trigger,
)
from motia_celery.model.topic import pattern_fault, topic_fault

if TYPE_CHECKING:
    from motia_celery.model.typed import Method, Middleware


class EmitConfig(Config):
    """An element of ``emits`` that labels its edge in the graph."""

    topic: str
    label: str = ""
    conditional: bool = False


def _emit_form(value: Any) -> str:
    return "<text>" if isinstance(value, str) else "<labelled>"


#: An element of ``emits``. The tags name the form in pydantic's errors, where they are left out.
EmitItem = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[EmitConfig, Tag("<labelled>")],
    Discriminator(_emit_form),
]


# What may be given differs from what is kept: a list becomes a tuple, a class its JSON Schema.
if TYPE_CHECKING:
    Texts = Sequence[str]
    Emits = Sequence[str | EmitConfig]
    Params = Sequence["QueryParamConfig"]
    Schema = type[BaseModel] | Mapping[str, Any] | None
    Responses = Mapping[Any, Schema]
else:
    Method = str
    Middleware = Schema = Any
    Texts = tuple[str, ...]
    Emits = tuple[EmitItem, ...]
    Params = tuple["QueryParamConfig", ...]
    Responses = dict[str, Any]


class QueryParamConfig(Config):
    """An element of ``queryParams``."""

    name: str
    description: str = ""


def as_schema(value: Any) -> Any:
    """A JSON Schema from a pydantic class or a dict; falsy means no schema."""
    if isinstance(value, type) and issubclass(value, BaseModel):
        return _model_schema(value)
    if not value:
        return None
    if not isinstance(value, Mapping):
        raise ValueError("expected a pydantic model class or a JSON Schema dict")
    try:
        # A copy, since the Plan is frozen.
        return json.loads(json.dumps(dict(value), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"the schema is not JSON: {error}") from error


def _model_schema(model: type[BaseModel]) -> Any:
    try:
        return model.model_json_schema()
    except Exception as error:  # a model may bring its own schema code
        raise ValueError(f"{model.__name__} has no JSON Schema: {error}") from error


def emitted(emits: tuple[str | EmitConfig, ...]) -> tuple[str | EmitConfig, ...]:
    """The emits, if each of them is of a topic that can be emitted.

    Raises:
        ValueError: one of them is not.
    """
    for emit in emits:
        fault = topic_fault(emit if isinstance(emit, str) else emit.topic)
        if fault:
            raise ValueError(fault)
    return emits


class _StepConfig(Config):
    name: str = Field(min_length=1)
    description: str = ""
    flows: Texts = ()
    virtual_emits: Emits = ()
    virtual_subscribes: Texts = ()

    def triggers(self) -> tuple[Trigger, ...]:
        """What starts the Step."""
        return ()

    def drawn(self) -> Emits:
        """The topics that it emits in the diagram alone."""
        return self.virtual_emits

    @field_validator("description", mode="before")
    @classmethod
    def _no_description(cls, value: Any) -> Any:
        return value or ""


class RunningConfig(_StepConfig):
    """What the configs of Steps with a handler have in common."""

    emits: Emits = ()
    include_files: Texts = ()
    infrastructure: HandlerInfrastructureConfig = Field(default_factory=HandlerInfrastructureConfig)

    def retry_policy(self) -> RetryPolicy:
        """How a failed run is tried again: a request never is, its client may do so."""
        return RetryPolicy(max_attempts=1)

    def outgoing(self) -> Emits:
        """The topics that it may emit."""
        return self.emits

    @field_validator("infrastructure", mode="before")
    @classmethod
    def _no_infrastructure(cls, value: Any) -> Any:
        return value or {}

    @field_validator("emits")
    @classmethod
    def _emit_topics(cls, emits: tuple[str | EmitConfig, ...]) -> tuple[str | EmitConfig, ...]:
        return emitted(emits)


class HttpConfig(Config):
    """What a config says of one route."""

    path: str
    method: Method
    middleware: Middleware | None = None
    body_schema: Schema = None
    response_schema: Responses = Field(default_factory=dict)
    query_params: Params = ()
    validate_body: bool | None = None

    @field_validator("path")
    @classmethod
    def _valid_path(cls, path: str) -> str:
        fault = path_fault(path)
        if fault:
            raise ValueError(fault)
        return path

    @field_validator("method")
    @classmethod
    def _known_method(cls, method: str) -> str:
        if method.upper() not in METHODS:
            raise ValueError(f"expected one of {', '.join(METHODS)}")
        return method.upper()

    @field_validator("body_schema", mode="before")
    @classmethod
    def _body(cls, value: Any) -> Any:
        return as_schema(value)

    @field_validator("response_schema", mode="before")
    @classmethod
    def _responses(cls, value: Any) -> Any:
        if not value:
            return {}
        if not isinstance(value, Mapping):
            raise ValueError("expected a mapping from status to schema")
        return {str(status): as_schema(schema) or {} for status, schema in value.items()}

    @field_validator("query_params", mode="before")
    @classmethod
    def _params(cls, value: Any) -> Any:
        return value or ()

    def http_trigger(self) -> HttpTrigger:
        """The trigger of the route."""
        params = tuple(
            QueryParam(name=p.name, description=p.description) for p in self.query_params
        )
        return HttpTrigger(
            method=self.method,
            path=self.path,
            body_schema=cast(JsonSchema | None, self.body_schema),
            response_schema=cast(dict[str, JsonSchema], self.response_schema),
            query_params=params,
            validate_body=self.validate_body,
        )


class ApiStep(HttpConfig, RunningConfig):
    """Config of a Step that an HTTP request starts."""

    type: Literal["api"] = "api"

    def triggers(self) -> tuple[Trigger, ...]:
        """One http trigger."""
        return (self.http_trigger(),)


class EventStep(RunningConfig):
    """Config of a Step that events start."""

    type: Literal["event"] = "event"
    subscribes: Texts = Field(min_length=1)
    input: Schema = None
    middleware: Middleware | None = None
    infrastructure: InfrastructureConfig = Field(default_factory=InfrastructureConfig)
    retry: RetryConfig = Field(default_factory=RetryConfig)
    once: bool = False
    event_schema: SchemaPolicy | None = None

    @field_validator("subscribes")
    @classmethod
    def _valid_patterns(cls, subscribes: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in subscribes:
            fault = pattern_fault(pattern)
            if fault:
                raise ValueError(fault)
        return subscribes

    @field_validator("input", mode="before")
    @classmethod
    def _input(cls, value: Any) -> Any:
        return as_schema(value)

    def retry_policy(self) -> RetryPolicy:
        """``retry``, with ``infrastructure.queue.maxRetries`` where it names no attempts."""
        return self.retry.policy(self.infrastructure.queue.max_retries)

    def triggers(self) -> tuple[Trigger, ...]:
        """One event trigger for all topics."""
        options = self.infrastructure.queue.options()
        schema = cast(JsonSchema | None, self.input)
        return (EventTrigger(topics=tuple(self.subscribes), input_schema=schema, queue=options),)


class CronStep(RunningConfig):
    """Config of a Step that the clock starts; ``timezone`` is an IANA name."""

    type: Literal["cron"] = "cron"
    cron: CronExpression
    timezone: TimezoneName | None = None
    retry: RetryConfig = Field(default_factory=RetryConfig)

    def retry_policy(self) -> RetryPolicy:
        """``retry``; a cron run has one attempt unless it says more."""
        return self.retry.policy(max_retries=0)

    def triggers(self) -> tuple[Trigger, ...]:
        """One cron trigger."""
        return (CronTrigger(expression=self.cron, timezone=self.timezone),)


class NoopStep(_StepConfig):
    """Config of a Step that only stands in the diagram, for work done elsewhere."""

    type: Literal["noop"] = "noop"


class StreamConfig(Config):
    """Config of a stream file."""

    name: str = Field(min_length=1)
    schema_: Schema = Field(default=None, alias="schema")
    base_config: Any = None
    can_access: Any = None
    on_join: Any = None
    on_leave: Any = None

    @model_validator(mode="before")
    @classmethod
    def _stream_schema(cls, value: Any) -> Any:
        """Motia 1.0's Python has another name for it."""
        if not isinstance(value, Mapping) or "stream_schema" not in value:
            return value
        rest = {key: found for key, found in value.items() if key != "stream_schema"}
        return {"schema": value["stream_schema"], **rest}

    @field_validator("schema_", mode="before")
    @classmethod
    def _schema(cls, value: Any) -> Any:
        return as_schema(value)


StepConfig = ApiStep | EventStep | CronStep | NoopStep
