"""The recordings of an app in memory: whole, where those of production are cut and masked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from motia_celery.model.record import Attempt, Entry, RunRecord, RunSummary, Status
from motia_celery.model.run import Run, RunError
from motia_celery.observe.recording import Note, Recording

#: More than any value that a test makes.
_LIMIT_BYTES = 1 << 40


class WholeRecording(Recording):
    """A recording without bounds."""

    __slots__ = ()

    def _add(self, note: Note) -> None:
        self.notes.append(note)


class Recordings:
    """The recordings of all runs, in the order in which the runs began."""

    def __init__(self) -> None:
        self._attempts: dict[str, list[WholeRecording]] = {}
        self._settled: dict[str, tuple[Status, RunError | None]] = {}

    def begin(self, run: Run) -> WholeRecording:
        """A recording of the attempt."""
        recording = WholeRecording(run, self, _LIMIT_BYTES, is_kept=True)
        self._attempts.setdefault(run.id, []).append(recording)
        self._settled.pop(run.id, None)
        return recording

    def settled(self, run_id: str, status: Status, error: RunError | None = None) -> None:
        """What became of a run after its last attempt."""
        self._settled[run_id] = (status, error)

    def records(self) -> list[RunRecord]:
        """What is known of each run."""
        return [self._record(attempts) for attempts in self._attempts.values()]

    def _record(self, attempts: list[WholeRecording]) -> RunRecord:
        last = attempts[-1]
        record = RunRecord(
            summary=_summary(attempts[0], last),
            input=orjson.loads(attempts[0].input.text),
            attempts=tuple(_attempt(one) for one in attempts),
        )
        if last.run.id not in self._settled:
            return record
        status, error = self._settled[last.run.id]
        summary = replace(record.summary, status=status, error=error or record.summary.error)
        return replace(record, summary=summary)

    def changed(self, recording: Recording) -> None:
        """Nothing: they are read when they are asked for."""

    def over(self, recording: Recording) -> None:
        """Nothing."""

    def wrote(self, recording: Recording, line: Note) -> None:
        """Nothing."""


def _summary(first: Recording, last: Recording) -> RunSummary:
    run = last.run
    return RunSummary(
        id=run.id,
        step=run.step,
        trigger=run.trigger,
        trace_id=run.trace.trace_id,
        status=last.status,
        started_ms=first.started_at * 1000,
        ended_ms=_milliseconds(last.ended_at),
        attempt=run.attempt,
        error=last.error,
        queued_ms=run.due_ms,
        parent_id=run.parent_id,
        root_id=run.root_id,
        event_id=run.event_id,
        topic=run.topic,
        group=run.group,
        flows=run.flows,
    )


def _attempt(recording: Recording) -> Attempt:
    return Attempt(
        number=recording.run.attempt,
        span_id=recording.run.trace.span_id,
        worker="test",
        started_ms=recording.started_at * 1000,
        ended_ms=_milliseconds(recording.ended_at),
        error=recording.error,
        output=None if recording.output is None else orjson.loads(recording.output.text),
        entries=tuple(entry_of(note) for note in recording.notes),
    )


def entry_of(note: Note) -> Entry:
    """The note as it is read back."""
    fields: dict[str, Any] = dict(note.fields)
    if note.value is not None:
        fields[note.name] = orjson.loads(note.value)
    return Entry(note.at * 1000, note.kind, fields)


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000
