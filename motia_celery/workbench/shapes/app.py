"""The app, its Steps, what they make up, and the processes that run them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from motia_celery.workbench.shapes.runs import RunStatus
from motia_celery.workbench.shapes.shape import Json, Language, Moment, Shape

Kind = Literal["http", "event", "cron", "state", "stream", "noop"]
Severity = Literal["error", "warning"]


class Counts(Shape):
    """How much of everything the app has."""

    steps: int
    routes: int
    topics: int
    schedules: int
    streams: int
    flows: int
    problems: int


class AppView(Shape):
    """The app as a whole. The addresses hold no secrets."""

    name: str
    version: str
    environment: Literal["development", "production", "test"]
    prefix: str
    base_path: str
    broker: str
    broker_kind: Literal["rabbitmq", "redis"]
    store: str
    timezone: str
    languages: tuple[Language, ...]
    counts: Counts
    has_records: bool = Field(description="Whether runs and logs are kept.")


class ProblemView(Shape):
    """One thing for the project's author to mend."""

    what: str
    fix: str
    file: str = ""
    line: int | None = None
    severity: Severity = "error"
    step: str | None = Field(None, description="The Step of that file.")


class ParamView(Shape):
    """A documented query parameter."""

    name: str
    description: str = ""


class RouteView(Shape):
    """One route, with what is needed to try it."""

    step: str
    method: str
    path: str = Field(description="As the Step's config has it.")
    url: str = Field(description="With each parameter as {name}.")
    path_params: tuple[str, ...]
    query_params: tuple[ParamView, ...]
    body_schema: dict[str, Any] | None = None
    response_schema: dict[str, Any] = Field(default_factory=dict)
    description: str = ""
    flows: tuple[str, ...] = ()


class EmitView(Shape):
    """A topic that a Step may emit."""

    topic: str
    label: str = ""
    conditional: bool = False


class Position(Shape):
    """Where a node is drawn, and at which sides its edges begin and end."""

    x: float = Field(allow_inf_nan=False)
    y: float = Field(allow_inf_nan=False)
    source_handle: Literal["bottom", "right"] | None = None
    target_handle: Literal["top", "left"] | None = None


class NodeView(Shape):
    """One Step in the diagram."""

    id: str
    name: str
    kind: Kind
    language: Language
    file: str
    description: str = ""
    flows: tuple[str, ...] = ()
    routes: tuple[str, ...] = Field((), description="Each as METHOD /path.")
    crons: tuple[str, ...] = Field((), description="Its cron expressions.")
    changes: tuple[str, ...] = Field((), description="What it hears changes of: state, streams.")
    emits: tuple[EmitView, ...] = ()
    subscribes: tuple[str, ...] = ()
    virtual_emits: tuple[EmitView, ...] = ()
    virtual_subscribes: tuple[str, ...] = ()
    paused: bool = False
    component: str | None = Field(
        None, description="The file that draws it, of Motia's `x.step.tsx`."
    )


class ComponentView(Shape):
    """What draws a Step: a module, or why there is none."""

    step: str
    file: str
    version: str | None = Field(
        None, description="A part of the module's path, /components/<version>/<step>."
    )
    scope: str = Field("", description="The class of the element that it draws in.")
    fault: str = ""
    where: str = Field("", description="The file of the fault, with its line.")


class EdgeView(Shape):
    """An arrow between two Steps, by their names; a virtual one is only drawn."""

    id: str
    source: str
    target: str
    topic: str
    label: str = ""
    virtual: bool = False
    conditional: bool = False


class FlowView(Shape):
    """One flow: its Steps' names, and where each is drawn. ``""`` is the whole app."""

    name: str
    steps: tuple[str, ...]
    positions: dict[str, Position] = Field(default_factory=dict, description="By the Step's name.")


class GraphView(Shape):
    """All Steps and arrows; a flow's are those between its Steps."""

    nodes: tuple[NodeView, ...]
    edges: tuple[EdgeView, ...]
    flows: tuple[FlowView, ...]


class Positions(Shape):
    """Where the nodes of a flow are drawn, by their Steps' names; ``""`` is the whole app."""

    flow: str = Field(max_length=1000)
    positions: dict[str, Position] = Field(max_length=5000)


class Source(Shape):
    """The text of a Step's file; ``line`` is the handler's."""

    file: str
    language: Language
    text: str
    line: int | None = None
    truncated: bool = False


class QueueOptionsView(Shape):
    """How an event Step's queue behaves."""

    type: Literal["standard", "fifo"]
    visibility_timeout_seconds: float
    delay_seconds: float
    concurrency: int | None = None
    concurrency_key: str | None = None
    rate: str | None = None
    priority: int | None = None
    partitions: int | None = None


class TickView(Shape):
    """A slot that was sent, and the run that it started, as far as one is known.

    ``overlaps``: it began while an earlier run of the Step was still under way.
    """

    at: Moment
    run_id: str
    trace_id: str | None = None
    status: RunStatus | None = None
    started_at: Moment | None = None
    late_ms: float | None = Field(None, description="From the slot to the beginning of its run.")
    duration_ms: float | None = None
    overlaps: bool = False


class MissView(Shape):
    """Slots that were not sent, for no beat ran; ``sent_at`` was the first one after them."""

    first_at: Moment
    sent_at: Moment
    count: int = Field(description="Counted up to 1000.")


class ScheduleView(Shape):
    """One cron trigger: when it fired last, what came of it, and when it will fire.

    ``running`` and ``overlaps`` are of its Step's last runs by the clock.
    """

    name: str
    step: str
    expression: str
    timezone: str
    last_at: Moment | None = Field(None, description="The last slot that was sent.")
    due_at: Moment | None = Field(None, description="The last slot that came.")
    next_at: tuple[Moment, ...]
    paused: bool = False
    beats: bool | None = Field(None, description="Whether a beat is at work.")
    overdue: int = Field(0, description="Slots that came and were not sent; counted up to 1000.")
    misses: tuple[MissView, ...] = Field((), description="The latest first.")
    ticks: tuple[TickView, ...] = Field((), description="The latest first.")
    running: int = 0
    overlaps: int = Field(0, description="How many began while an earlier one was under way.")


class StepView(NodeView):
    """Everything about one Step."""

    config: dict[str, Any] = Field(description="The config as it is understood.")
    input_schema: dict[str, Any] | None = None
    api: tuple[RouteView, ...] = ()
    queue: str | None = None
    queue_options: QueueOptionsView | None = None
    max_attempts: int
    timeout_seconds: float | None = None
    schedules: tuple[ScheduleView, ...] = ()
    problems: tuple[ProblemView, ...] = ()
    source: Source | None = None


class TopicView(Shape):
    """A topic with who emits it and who hears it."""

    topic: str
    is_pattern: bool = False
    emitted_by: tuple[str, ...]
    heard_by: tuple[str, ...]
    input_schema: dict[str, Any] | None = None
    flows: tuple[str, ...] = ()


class CronView(Shape):
    """A Step that the clock starts."""

    step: str
    expressions: tuple[str, ...]
    description: str = ""
    flows: tuple[str, ...] = ()
    paused: bool = False


class EmitRequest(Shape):
    """An event to emit."""

    data: Json = None
    delay_seconds: float = Field(0, ge=0, le=30 * 86400)


class Started(Shape):
    """What was started; ``runs`` are the ids of the runs that follow at once, by Step."""

    event_id: str
    trace_id: str
    runs: dict[str, str]


class QueueView(Shape):
    """One Step's queue. What is None can not be known of this broker."""

    name: str
    step: str
    type: Literal["standard", "fifo"]
    topics: tuple[str, ...]
    exists: bool
    depth: int | None = Field(description="Messages that wait to be delivered.")
    consumers: int | None = None
    oldest_ms: float | None = Field(None, description="How long the oldest has waited.")
    oldest_is_bound: bool = Field(False, description="It has waited so long at most.")
    sent_per_second: float | None = Field(None, description="Messages that came, of late.")
    begun_per_second: float | None = Field(None, description="Runs that began, of late.")
    paused: bool = False


class Queues(Shape):
    """All queues, and when they were looked at."""

    at: Moment
    queues: tuple[QueueView, ...]
    dead_letters: int | None


class ActiveRun(Shape):
    """A run that a worker has begun."""

    id: str
    step: str
    started_at: Moment | None = None


class WorkerView(Shape):
    """One worker process."""

    name: str
    pid: int | None = None
    pool: str = ""
    concurrency: int | None = None
    running: int
    uptime_seconds: float | None = None
    completed: int | None = Field(None, description="Runs since it began.")
    queues: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    runs: tuple[ActiveRun, ...] = ()


class Workers(Shape):
    """The workers that answered, and when they were asked."""

    at: Moment
    workers: tuple[WorkerView, ...]


class PauseView(Shape):
    """Whether a Step is paused now, and whether that was changed."""

    step: str
    paused: bool
    changed: bool


class Cancelled(Shape):
    """What was called off; ``dropped`` counts messages that left a queue."""

    dropped: int = 0
