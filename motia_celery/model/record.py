"""Records: what is known of a run that began, as values that are read back.

Times are epoch milliseconds on the clock of the process that ran it. ``input``, ``output`` and
what entries hold are JSON values, redacted and cut to a bounded size.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from motia_celery.model.run import RunError, TriggerType

#: ``failed``: for the last time; its event, if it had one, is a dead letter.
Status = Literal["running", "retrying", "completed", "failed", "cancelled"]
STATUSES: Final[tuple[Status, ...]] = ("running", "retrying", "completed", "failed", "cancelled")
EntryKind = Literal["emit", "state", "stream", "log"]
#: Log levels, the least first.
LEVELS: Final = ("debug", "info", "warn", "error")


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that an attempt did, and when.

    ``fields`` of an ``emit``: ``topic``, ``id``, ``ok``, ``data``, ``delay`` (seconds); of
    ``state``: ``op``, ``group``, ``key``, ``value``; of ``stream``: ``op``, ``name``, ``group``,
    ``id``, ``value``; of ``log``: ``level``, ``msg``, ``data``. What there is not is left out.
    """

    at_ms: float
    kind: EntryKind
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of a run; one that was begun again after its worker died has its number twice.

    ``wait_ms`` is how long its message was due before it began; None where that is not known.
    ``is_lost``: it has not ended, and the process that ran it has not been heard of for a while.
    ``dropped`` is how many entries did not fit.
    """

    number: int
    span_id: str
    worker: str
    started_ms: float
    ended_ms: float | None = None
    wait_ms: float | None = None
    error: RunError | None = None
    output: Any = None
    output_cut: bool = False
    entries: tuple[Entry, ...] = ()
    dropped: int = 0
    is_lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What lists show of a run. ``attempt`` is the number of the last one.

    ``queued_ms`` is when its message was due, ``retry_ms`` when a ``retrying`` run's next attempt
    is; where that is known.
    """

    id: str
    step: str
    trigger: TriggerType
    trace_id: str
    status: Status
    started_ms: float
    ended_ms: float | None = None
    attempt: int = 1
    error: RunError | None = None
    queued_ms: float | None = None
    retry_ms: float | None = None
    parent_id: str | None = None
    root_id: str | None = None
    event_id: str | None = None
    topic: str | None = None
    group: str | None = None
    flows: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The record as JSON-ready values."""
        fields = asdict(self)
        fields["flows"] = list(self.flows)
        return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """Everything that is kept of a run; ``forgotten`` attempts between the first and the later
    ones are not.

    ``input_cut``: it was too large, or is not JSON as it was. ``input_masked``: it held secrets.
    """

    summary: RunSummary
    input: Any = None
    input_cut: bool = False
    input_masked: bool = False
    attempts: tuple[Attempt, ...] = ()
    forgotten: int = 0

    @property
    def is_lost(self) -> bool:
        """Whether the run is under way only by what is written: its process is gone."""
        last = self.attempts[-1] if self.attempts else None
        return self.summary.status == "running" and last is not None and last.is_lost

    def as_dict(self) -> dict[str, Any]:
        """The record as JSON-ready values."""
        attempts = [asdict(attempt) for attempt in self.attempts]
        return {
            **self.summary.as_dict(),
            "input": self.input,
            "input_cut": self.input_cut,
            "input_masked": self.input_masked,
            "attempts": attempts,
            "forgotten": self.forgotten,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs are meant: all that fit every part that is given.

    ``trace`` is a trace's id or its beginning. ``text`` is looked for in the error's type and
    message, in any case.
    """

    steps: frozenset[str] = frozenset()
    flows: frozenset[str] = frozenset()
    statuses: frozenset[Status] = frozenset()
    triggers: frozenset[TriggerType] = frozenset()
    trace: str = ""
    text: str = ""
    since_ms: float | None = None
    until_ms: float | None = None

    def takes(self, run: RunSummary) -> bool:
        """Whether this run is meant."""
        return (
            (not self.steps or run.step in self.steps)
            and (not self.flows or not self.flows.isdisjoint(run.flows))
            and (not self.statuses or run.status in self.statuses)
            and (not self.triggers or run.trigger in self.triggers)
            and run.trace_id.startswith(self.trace)
            and (self.since_ms is None or run.started_ms >= self.since_ms)
            and (self.until_ms is None or run.started_ms <= self.until_ms)
            and (not self.text or self.text.lower() in str(run.error or "").lower())
        )


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs, the newest first, and where the next ones begin; None after the last."""

    runs: tuple[RunSummary, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line that a run wrote."""

    at_ms: float
    level: str
    msg: str
    step: str
    run_id: str
    trace_id: str
    attempt: int
    flows: tuple[str, ...] = ()
    data: Any = None
    id: str = field(default="", compare=False)

    def as_dict(self) -> dict[str, Any]:
        """The line as JSON-ready values, with its names on standard error."""
        fields = {**asdict(self), "flows": list(self.flows)}
        fields.pop("id")
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Which lines are meant: all that fit every part that is given; ``level`` and above.

    ``trace`` is a trace's id or its beginning. ``text`` is looked for in the message, in any case.
    """

    steps: frozenset[str] = frozenset()
    flows: frozenset[str] = frozenset()
    trace: str = ""
    run: str = ""
    level: str = ""
    levels: frozenset[str] = frozenset()
    text: str = ""
    since_ms: float | None = None
    until_ms: float | None = None

    def takes(self, line: LogLine) -> bool:
        """Whether this line is meant."""
        return (
            (not self.steps or line.step in self.steps)
            and (not self.flows or not self.flows.isdisjoint(line.flows))
            and line.trace_id.startswith(self.trace)
            and (not self.run or line.run_id == self.run)
            and (not self.level or _rank(line.level) >= _rank(self.level))
            and (not self.levels or line.level in self.levels)
            and (self.since_ms is None or line.at_ms >= self.since_ms)
            and (self.until_ms is None or line.at_ms <= self.until_ms)
            and self.text.lower() in line.msg.lower()
        )


ALL_RUNS: Final = RunFilter()
ALL_LINES: Final = LogFilter()


def _rank(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)
