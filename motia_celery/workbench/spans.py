"""The waterfall of a trace: each run below the one that caused it, and what each did below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from motia_celery.model.record import Attempt, Entry, RunRecord
from motia_celery.workbench.shapes.runs import Span


def spans_of(records: Sequence[RunRecord]) -> tuple[Span, ...]:
    """Everything that happened in these runs; lines of their logs are told elsewhere."""
    return tuple(span for record in records for span in _spans(record))


def _spans(record: RunRecord) -> Iterator[Span]:
    run, attempts = record.summary, record.attempts
    has_attempts = len(attempts) > 1 or any(one.is_lost for one in attempts)
    yield _run_span(record, {} if has_attempts or not attempts else _facts(attempts[0]))
    if run.queued_ms is not None and run.queued_ms < run.started_ms:
        yield _wait(record, 0, "in its queue", run.queued_ms, run.started_ms)
    for index, attempt in enumerate(attempts):
        before = attempts[index - 1].ended_ms if index else None
        if before is not None and before < attempt.started_ms:
            yield _wait(record, index, "for the next attempt", before, attempt.started_ms)
        if has_attempts:
            yield _attempt_span(record, attempt)
        parent = attempt.span_id if has_attempts else run.id
        for number, entry in enumerate(attempt.entries):
            if entry.kind != "log":
                yield _entry_span(run.id, f"{attempt.span_id}:{number}", parent, entry)


def _run_span(record: RunRecord, details: dict[str, Any]) -> Span:
    run = record.summary
    is_over = run.ended_ms is not None
    status = "error" if run.status == "failed" else "ok" if is_over else "running"
    return Span(
        id=run.id,
        parent_id=run.parent_id,
        run_id=run.id,
        kind="request" if run.trigger == "http" else "run",
        name=run.step,
        started_at=run.started_ms,
        ended_at=run.ended_ms,
        status=status,
        details=details,
    )


def _wait(record: RunRecord, index: int, name: str, start: float, end: float) -> Span:
    id = record.summary.id
    return Span(
        id=f"{id}:wait:{index}",
        parent_id=id,
        run_id=id,
        kind="wait",
        name=name,
        started_at=start,
        ended_at=end,
    )


def _attempt_span(record: RunRecord, attempt: Attempt) -> Span:
    is_over = attempt.ended_ms is not None
    status = "error" if attempt.error or attempt.is_lost else "ok" if is_over else "running"
    return Span(
        id=attempt.span_id,
        parent_id=record.summary.id,
        run_id=record.summary.id,
        kind="attempt",
        name=f"attempt {attempt.number}",
        started_at=attempt.started_ms,
        # Nobody knows when a process died.
        ended_at=attempt.started_ms if attempt.is_lost else attempt.ended_ms,
        status=status,
        details=_facts(attempt),
    )


def _facts(attempt: Attempt) -> dict[str, Any]:
    facts: dict[str, Any] = {"worker": attempt.worker}
    if attempt.wait_ms is not None:
        facts["wait_ms"] = attempt.wait_ms
    if attempt.is_lost:
        facts["lost"] = True
    if attempt.dropped:
        facts["left_out"] = attempt.dropped
    return facts


def _entry_span(run: str, id: str, parent: str, entry: Entry) -> Span:
    fields = entry.fields
    kind: Any = entry.kind
    return Span(
        id=id,
        parent_id=parent,
        run_id=run,
        kind=kind,
        name=_name(entry.kind, fields),
        started_at=entry.at_ms,
        ended_at=entry.at_ms,
        status="error" if fields.get("ok") is False else "ok",
        details=fields,
    )


def _name(kind: str, fields: dict[str, Any]) -> str:
    if kind == "emit":
        return str(fields.get("topic", ""))
    parts = (fields.get(part) for part in ("name", "group", "key", "id"))
    return f"{fields.get('op')} {'/'.join(str(part) for part in parts if part is not None)}"
