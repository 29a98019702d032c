"""The scribe: makes records of recordings, with their secrets masked."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from motia_celery.model.excerpt import compact, excerpt
from motia_celery.model.record import Status
from motia_celery.model.redaction import Redaction
from motia_celery.model.run import Run, RunError
from motia_celery.observe.recording import Note, Recording
from motia_celery.stores.records import Written

logger = logging.getLogger("motia_celery.records")

_ERROR_BYTES = 4_000


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a run after its attempt; times are epoch seconds."""

    run: Run
    status: Status
    at: float
    error: RunError | None = None
    retry_at: float | None = None


class Scribe:
    """Writes for one process, ``worker``."""

    def __init__(self, worker: str, redaction: Redaction) -> None:
        self._worker = worker
        self._redaction = redaction

    def written(self, item: Recording | Settlement) -> Sequence[Written]:
        """What is written of it: nothing, if it holds what can not be."""
        try:
            if isinstance(item, Recording):
                # From here on a change has it written once more.
                item.is_queued = False
                return (self._attempt(item),)
            return (self._settled(item),)
        except Exception:  # one that fails must not keep the others from being written
            logger.exception("A record could not be made", extra={"action": "records.failed"})
            return ()

    def _attempt(self, recording: Recording) -> Written:
        run = recording.run
        # The end is read first: what is read after it was there by then.
        ended, status = recording.ended_at, recording.status
        error = _error(recording.error)
        known = self._redaction.json(recording.input.text)
        return Written(
            id=run.id,
            span=run.trace.span_id,
            number=run.attempt,
            at=_ms(ended or recording.started_at),
            status=status,
            started=_ms(recording.started_at),
            ended=None if ended is None or status == "running" else _ms(ended),
            retry=None,
            step=run.step,
            trace=run.trace.trace_id,
            head=_head(run),
            input=known,
            attempt=self._attempt_text(recording, ended, error, known),
            error=error if status in ("retrying", "failed") else b"",
        )

    def _attempt_text(
        self, recording: Recording, ended: float | None, error: bytes, known: bytes
    ) -> bytes:
        run = recording.run
        text: dict[str, Any] = {
            "number": run.attempt,
            "worker": self._worker,
            "started": _ms(recording.started_at),
        }
        if run.due_ms is not None:
            text["wait"] = round(max(0.0, recording.started_at * 1000 - run.due_ms), 1)
        if ended is not None:
            text["ended"] = _ms(ended)
        if error:
            text["error"] = orjson.Fragment(error)
        if not recording.input.is_whole:
            text["input_cut"] = True
        if known != recording.input.text:
            text["input_masked"] = True
        if recording.output is not None:
            text["output"] = self._masked(recording.output.text)
            if not recording.output.is_whole:
                text["output_cut"] = True
        if recording.notes:
            text["entries"] = self._entries(recording)
        if recording.dropped:
            text["dropped"] = recording.dropped
        return orjson.dumps(text)

    def _entries(self, recording: Recording) -> orjson.Fragment:
        """Each is made once, for a run that goes on is written again and again."""
        written = recording.written
        written += [self._entry(note) for note in recording.notes[len(written) :]]
        return orjson.Fragment(b"[%b]" % b",".join(written))

    def _entry(self, note: Note) -> bytes:
        fields = dict(note.fields)
        if note.value is not None:
            fields[note.name] = self._masked(note.value)
        return compact(orjson.dumps([_ms(note.at), note.kind, fields]))

    def _masked(self, text: bytes) -> orjson.Fragment:
        return orjson.Fragment(self._redaction.json(text))

    def _settled(self, item: Settlement) -> Written:
        run = item.run
        is_over = item.status in ("completed", "failed", "cancelled")
        return Written(
            id=run.id,
            span="",
            number=run.attempt,
            at=_ms(item.at),
            status=item.status,
            started=_ms(item.at),
            ended=_ms(item.at) if is_over else None,
            retry=None if item.retry_at is None else _ms(item.retry_at),
            step=run.step,
            trace=run.trace.trace_id,
            head=_head(run),
            input=b"null",
            attempt=b"",
            error=_error(item.error),
        )

    def line(self, recording: Recording, note: Note) -> Sequence[bytes]:
        """A line of the log, as JSON."""
        run = recording.run
        line: dict[str, Any] = {
            "ts": _ms(note.at),
            **note.fields,
            "step": run.step,
            "run_id": run.id,
            "trace_id": run.trace.trace_id,
            "attempt": run.attempt,
            "flows": run.flows,
        }
        try:
            if note.value is not None:
                line["data"] = self._masked(note.value)
            return (orjson.dumps(line),)
        except (TypeError, ValueError):
            return ()

    def summary(self, runs: Iterable[Written]) -> bytes:
        """What is told to those who watch: an object for each run that changed."""
        return orjson.dumps(
            [
                {
                    "id": run.id,
                    "step": run.step,
                    "status": run.status,
                    "attempt": run.number,
                    "trace_id": run.trace,
                    "started_ms": run.started,
                    "ended_ms": run.ended,
                    "at_ms": run.at,
                }
                for run in runs
            ]
        )


def _head(run: Run) -> bytes:
    if run.trigger == "http":  # which comes from nothing else
        return _route_head(run.flows)
    fields = {
        "trigger": run.trigger,
        "parent": run.parent_id,
        "root": run.root_id,
        "event": run.event_id,
        "topic": run.topic,
        "group": run.group,
        "flows": run.flows,
        "due": run.due_ms,
    }
    return orjson.dumps({name: value for name, value in fields.items() if value})


@lru_cache(1024)
def _route_head(flows: tuple[str, ...]) -> bytes:
    return orjson.dumps({"trigger": "http", "flows": flows} if flows else {"trigger": "http"})


def _error(error: RunError | None) -> bytes:
    """The error as JSON, without the names that only a retry policy needs."""
    if error is None:
        return b""
    told = {
        "type": error.type,
        "message": error.message,
        "where": error.where,
        "traceback": error.traceback,
    }
    # Lone surrogates and the like: an excerpt has JSON for all of it.
    return excerpt({name: text for name, text in told.items() if text}, 4 * _ERROR_BYTES)


def _ms(seconds: float) -> float:
    return int(seconds * 100_000) / 100  # `round` takes three times as long
