"""A recording: what one attempt of a run does, noted in memory while it does it.

The handler's own thread only takes excerpts and appends; a thread of the recorder masks secrets,
makes records of them, and writes those (``recorder.py``).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple, Protocol

from motia_celery.model.event import Event
from motia_celery.model.excerpt import Excerpt, compact, excerpt, excerpt_of
from motia_celery.model.record import EntryKind, Status
from motia_celery.model.run import Failure, Outcome, Run, RunError

#: Entries that are kept of one attempt, and the bytes of their values together, as a multiple
#: of what one value may have.
ENTRIES_KEPT: Final = 200
VALUES_KEPT: Final = 8

#: What of a request is kept; its text is the body once more.
_REQUEST_PARTS = ("pathParams", "queryParams", "headers", "body")
_CUT = RunError("CancelledError", "the run was cut short.")
_CUT_REQUEST = RunError(
    "CancelledError", "the request ended first: its time ran out, or its client went away."
)


class Changes(Protocol):
    """Takes the recordings that have something new to write."""

    def changed(self, recording: Recording) -> None:
        """This one has."""

    def over(self, recording: Recording) -> None:
        """This one has ended."""

    def wrote(self, recording: Recording, line: Note) -> None:
        """It has a line of a log."""


class Recordings(Protocol):
    """Makes the recordings of a process's runs."""

    def begin(self, run: Run) -> Recording | None:
        """A recording of the attempt; None where there is none."""


class Note(NamedTuple):
    """An entry on its way to the record; ``value`` is JSON."""

    at: float
    kind: EntryKind
    fields: Mapping[str, Any]
    name: str
    value: bytes | None


class Recording:
    """The recording of one attempt. Times are epoch seconds."""

    __slots__ = (
        "_changes",
        "_limit",
        "_room",
        "dropped",
        "ended_at",
        "error",
        "input",
        "is_kept",
        "is_queued",
        "notes",
        "output",
        "run",
        "started_at",
        "status",
        "written",
        "written_at",
    )

    def __init__(self, run: Run, changes: Changes, limit_bytes: int, *, is_kept: bool) -> None:
        #: The run; a request's without its input, with which the whole connection would stay.
        self.run = replace(run, input=None) if run.trigger == "http" else run
        self.started_at = time.time()
        self.input = excerpt_of(_input(run), limit_bytes)
        self.status: Status = "running"
        self.ended_at: float | None = None
        self.error: RunError | None = None
        self.output: Excerpt | None = None
        self.notes: list[Note] = []
        self.dropped = 0
        #: Whether it is written; a success that is not sampled is not.
        self.is_kept = is_kept
        self.is_queued = False
        #: The first notes as they were written, for a record that is written again.
        self.written: list[bytes] = []
        self.written_at = 0.0
        self._changes = changes
        self._limit = limit_bytes
        self._room = VALUES_KEPT * limit_bytes

    def emitted(self, event: Event, *, ok: bool, delay_seconds: float = 0) -> None:
        """An event was emitted, or (not ``ok``) dropped or not confirmed."""
        if self._drops():
            return
        told: dict[str, Any] = {"topic": event.topic, "id": event.id, "ok": ok}
        if delay_seconds:
            told["delay"] = delay_seconds
        self._add(self._emit_note(told, event))

    def refused(self, topic: str) -> None:
        """An event was not emitted, for the Step does not declare its topic."""
        self._add(Note(time.time(), "emit", {"topic": topic, "ok": False}, "", None))

    def state_changed(self, op: str, group: object, key: object = None, value: Any = None) -> None:
        """State was changed; ``value`` is what is there now, or the operations of an update."""
        if self._drops():
            return
        told = {"op": op, "group": str(group)} | ({} if key is None else {"key": str(key)})
        self._add(self._note("state", told, "value", value))

    def stream_changed(
        self, op: str, name: str, group: object, id: object = None, value: Any = None
    ) -> None:
        """A stream was changed, or an event sent on it."""
        if self._drops():
            return
        told = {"op": op, "name": name, "group": str(group)} | (
            {} if id is None else {"id": str(id)}
        )
        self._add(self._note("stream", told, "value", value))

    def logged(self, level: str, message: str, data: Any = None) -> None:
        """A line was logged."""
        if len(message) > self._limit:
            message = f"{message[: self._limit]}… ({len(message):,} characters)"
        line = self._note("log", {"level": level, "msg": message}, "data", data)
        if self.is_kept:
            self._changes.wrote(self, line)
        self._room -= len(message)
        self._add(line)

    def ended(self, outcome: Outcome) -> None:
        """The handler returned or raised."""
        if isinstance(outcome, Failure):
            self._failed(outcome.error)
        else:
            result = outcome.result
            self.output = None if result is None else excerpt_of(result, self._limit)
            self._end("completed")

    def cut(self) -> None:
        """The handler was cut short; whoever did it may say more (``Recorder.settled``)."""
        if self.run.trigger == "http":
            self._failed(_CUT_REQUEST)
        else:
            self.error = _CUT
            self._end("running")

    def _failed(self, error: RunError) -> None:
        run = self.run
        self.error = error
        if not self.is_kept:
            self.is_kept = True
            for note in self.notes:
                if note.kind == "log":
                    self._changes.wrote(self, note)
        is_last = error.final or run.trigger == "http" or run.attempt >= run.max_attempts
        # What becomes of it is settled soon, by whoever decides that.
        self._end("failed" if is_last else "retrying")

    def _end(self, status: Status) -> None:
        self.status = status
        self.ended_at = time.time()
        self._changes.over(self)
        self._changes.changed(self)

    def _note(self, kind: EntryKind, fields: Mapping[str, Any], name: str, value: Any) -> Note:
        if value is None or self._room <= 0:
            return Note(time.time(), kind, fields, name, None)
        return Note(time.time(), kind, fields, name, excerpt(value, self._limit))

    def _emit_note(self, told: Mapping[str, Any], event: Event) -> Note:
        """The data was made JSON to be sent; where that is short enough, it is not made again."""
        if self._room <= 0 or not event.encoded or len(event.encoded) > self._limit:
            return self._note("emit", told, "data", event.data)
        return Note(time.time(), "emit", told, "data", compact(event.encoded))

    def _drops(self) -> bool:
        """Whether there is no room for another entry, which is then counted."""
        is_full = len(self.notes) >= ENTRIES_KEPT or self._room <= 0
        self.dropped += is_full
        return is_full

    def _add(self, note: Note) -> None:
        if self._drops():
            return
        self._room -= len(note.value or b"")
        self.notes.append(note)
        self._changes.changed(self)


async def recorded(recording: Recording, attempt: Awaitable[Outcome]) -> Outcome:
    """The attempt's outcome, with which the recording ends; without one it was cut short."""
    try:
        outcome = await attempt
        recording.ended(outcome)
    except BaseException:
        recording.cut()
        raise
    return outcome


def _input(run: Run) -> Any:
    if run.trigger != "http" or not isinstance(run.input, Mapping):
        return run.input
    request = run.input
    told = {"method": getattr(request, "method", None), "path": getattr(request, "path", None)}
    for part in _REQUEST_PARTS:
        if part in request:
            told[part] = request[part]
    return told
