"""What a test reads of runs: what they emitted, changed, logged, and how they ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from motia_celery.model.record import Entry, EntryKind, RunRecord, Status
from motia_celery.model.run import RunError, TriggerType


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitted:
    """An event that a handler emitted; not ``sent``: it was dropped, or not accepted."""

    topic: str
    data: Any = None
    id: str = ""
    delay_seconds: float = 0
    sent: bool = True
    step: str = ""
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged:
    """A change of state; ``op`` is ``set``, ``update``, ``delete`` or ``clear``."""

    op: str
    group: str
    key: str | None = None
    value: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamChanged:
    """A change of a stream; ``op`` is ``set``, ``update``, ``delete`` or ``send``."""

    op: str
    stream: str
    group: str
    id: str | None = None
    value: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A line that a handler logged; ``level`` is ``debug``, ``info``, ``warn`` or ``error``."""

    level: str
    message: str
    data: Any = None
    step: str = ""
    run_id: str = ""


class RunResult:
    """A run: its Step, how it ended, and what all its attempts did, in their order."""

    def __init__(self, record: RunRecord) -> None:
        self.record = record

    def __repr__(self) -> str:
        error = f", {self.error}" if self.error else ""
        return f"<Run of {self.step!r}: {self.status} at attempt {self.attempts}{error}>"

    @property
    def id(self) -> str:
        """Its id."""
        return self.record.summary.id

    @property
    def step(self) -> str:
        """The name of its Step."""
        return self.record.summary.step

    @property
    def trigger(self) -> TriggerType:
        """``http``, ``event`` or ``cron``."""
        return self.record.summary.trigger

    @property
    def status(self) -> Status:
        """``running``, ``retrying``, ``completed``, ``failed`` or ``cancelled``."""
        return self.record.summary.status

    @property
    def attempts(self) -> int:
        """The number of its last attempt, from 1."""
        return self.record.summary.attempt

    @property
    def trace_id(self) -> str:
        """The trace that all runs from one cause share."""
        return self.record.summary.trace_id

    @property
    def topic(self) -> str | None:
        """The topic of the event that started it."""
        return self.record.summary.topic

    @property
    def error(self) -> RunError | None:
        """Why it failed, or fails until now."""
        return self.record.summary.error

    @property
    def input(self) -> Any:
        """The event's data, or the request."""
        return self.record.input

    @property
    def output(self) -> Any:
        """What the last attempt returned."""
        return self.record.attempts[-1].output if self.record.attempts else None

    @property
    def emits(self) -> list[Emitted]:
        """The events that it emitted; those that were dropped are not ``sent``."""
        return [
            emitted(entry, self.record.summary.step, self.record.summary.id)
            for entry in self._entries("emit")
        ]

    @property
    def state_changes(self) -> list[StateChanged]:
        """What it changed in the state."""
        return [StateChanged(**entry.fields) for entry in self._entries("state")]

    @property
    def stream_changes(self) -> list[StreamChanged]:
        """What it changed in streams, or sent on them."""
        return [stream_changed(entry) for entry in self._entries("stream")]

    @property
    def logs(self) -> list[Logged]:
        """The lines that it logged."""
        return [
            logged(entry, self.record.summary.step, self.record.summary.id)
            for entry in self._entries("log")
        ]

    def _entries(self, kind: EntryKind) -> Iterator[Entry]:
        return entries_of(self.record, kind)


def entries_of(record: RunRecord, kind: EntryKind) -> Iterator[Entry]:
    """What all attempts of a run did, of one kind."""
    for attempt in record.attempts:
        yield from (entry for entry in attempt.entries if entry.kind == kind)


def emitted(entry: Entry, step: str = "", run_id: str = "") -> Emitted:
    """The event of an ``emit`` entry."""
    told = entry.fields
    return Emitted(
        topic=told["topic"],
        data=told.get("data"),
        id=told.get("id", ""),
        delay_seconds=told.get("delay", 0),
        sent=told["ok"],
        step=step,
        run_id=run_id,
    )


def stream_changed(entry: Entry) -> StreamChanged:
    """The change of a ``stream`` entry."""
    told = dict(entry.fields)
    return StreamChanged(stream=told.pop("name"), **told)


def logged(entry: Entry, step: str = "", run_id: str = "") -> Logged:
    """The line of a ``log`` entry."""
    told = entry.fields
    return Logged(
        level=told["level"], message=told["msg"], data=told.get("data"), step=step, run_id=run_id
    )
