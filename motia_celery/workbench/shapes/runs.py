"""Runs, traces and logs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from motia_celery.workbench.shapes.shape import Json, Moment, Shape, TriggerType

RunStatus = Literal["queued", "running", "retrying", "completed", "failed", "cancelled"]
Level = Literal["debug", "info", "warn", "error"]


class ErrorView(Shape):
    """Why a run failed; ``where`` is ``file:line``."""

    type: str
    message: str
    where: str = ""
    traceback: str = ""


class RunView(Shape):
    """One run, as a list shows it."""

    id: str
    step: str
    flows: tuple[str, ...] = ()
    trigger: TriggerType
    status: RunStatus
    topic: str | None = None
    group: str | None = Field(None, description="The group in which its event has an order.")
    trace_id: str
    parent_id: str | None = Field(None, description="The run that emitted its event.")
    attempt: int = 1
    max_attempts: int = 1
    queued_at: Moment | None = None
    started_at: Moment | None = None
    ended_at: Moment | None = None
    wait_ms: float | None = None
    duration_ms: float | None = None
    error: ErrorView | None = None


class Attempt(Shape):
    """One try of a run."""

    number: int
    status: RunStatus
    worker: str | None = None
    started_at: Moment | None = None
    ended_at: Moment | None = None
    error: ErrorView | None = None


class Payload(Shape):
    """A value that was kept, if not ``truncated``, and if not ``masked``, as it was."""

    value: Json = None
    truncated: bool = Field(False, description="It was too large, and is cut.")
    masked: bool = Field(False, description="It held secrets; `[redacted]` stands for them.")


class RunDetail(RunView):
    """Everything that was kept of one run; ``error`` is also that its worker is gone."""

    attempts: tuple[Attempt, ...] = ()
    input: Payload | None = None
    output: Payload | None = None
    can_rerun: bool = False


class Runs(Shape):
    """A page of runs, newest first; ``next`` continues it."""

    runs: tuple[RunView, ...]
    next: str | None = None
    total: int | None = Field(
        None,
        description="How many match, with the first page. Null where over 10,000 runs had to be "
        "looked at to count them.",
    )


class Span(Shape):
    """One bar of a trace's waterfall."""

    id: str
    parent_id: str | None = None
    run_id: str | None = None
    kind: Literal["request", "wait", "run", "attempt", "emit", "state", "stream", "other"]
    name: str
    started_at: Moment
    ended_at: Moment | None = None
    status: Literal["running", "ok", "error"] = "ok"
    details: dict[str, Any] = Field(default_factory=dict)


class TraceView(Shape):
    """All runs from one cause, and what each did."""

    id: str
    name: str = Field(description="Of the first Step.")
    status: RunStatus
    started_at: Moment | None = None
    ended_at: Moment | None = None
    runs: tuple[RunDetail, ...]
    left_out: int = Field(0, description="Later runs that are not told, of very many.")
    spans: tuple[Span, ...]


class LogLine(Shape):
    """One line that a Step logged; ``id`` orders lines."""

    id: str
    at: Moment
    level: Level
    message: str
    step: str | None = None
    flows: tuple[str, ...] = ()
    run_id: str | None = None
    trace_id: str | None = None
    fields: dict[str, Any] = Field(default_factory=dict)


class Logs(Shape):
    """A page of lines, newest first; ``next`` continues it."""

    lines: tuple[LogLine, ...]
    next: str | None = None


class Edited(Shape):
    """A value in place of the one that was kept."""

    data: Json


class Rerun(Shape):
    """A run to be done again; with ``edited`` its value is the input."""

    edited: Edited | None = None


class RunsQuery(Shape):
    """Which runs, and how many; ``text`` is looked for in errors, in any case."""

    step: tuple[str, ...] = Field((), max_length=100)
    flow: tuple[str, ...] = Field((), max_length=100)
    status: tuple[RunStatus, ...] = ()
    trigger: tuple[TriggerType, ...] = ()
    trace: str = Field("", max_length=64, description="The beginning of a trace id.")
    text: str = Field("", max_length=500)
    after: Moment | None = None
    before: Moment | None = None
    cursor: str | None = Field(None, max_length=500, description="The `next` of a page.")
    limit: int = Field(50, ge=1, le=500)


class LogsQuery(Shape):
    """Which lines, and how many."""

    level: tuple[Level, ...] = ()
    step: tuple[str, ...] = Field((), max_length=100)
    flow: tuple[str, ...] = Field((), max_length=100)
    run: str = Field("", max_length=64)
    trace: str = Field("", max_length=64)
    text: str = Field("", max_length=500)
    after: Moment | None = None
    before: Moment | None = None
    cursor: str | None = Field(None, max_length=500)
    limit: int = Field(200, ge=1, le=1000)
