"""Runs and lines of the records, as the API shows them."""

from __future__ import annotations

from typing import Any

from motia_celery.model import record
from motia_celery.model.run import RunError
from motia_celery.plan import Plan
from motia_celery.workbench.shapes.runs import (
    Attempt,
    ErrorView,
    Level,
    LogLine,
    Payload,
    RunDetail,
    RunStatus,
    RunView,
)

_GONE = ErrorView(
    type="WorkerGone",
    message="Its process has not been heard of. The broker delivers the event again.",
)
_LEVELS: dict[str, Level] = {"debug": "debug", "info": "info", "warn": "warn"}


def run_view(run: record.RunSummary, plan: Plan) -> RunView:
    """A run as lists show it."""
    return RunView(**_fields(run, plan))


def run_detail(run: record.RunRecord, plan: Plan) -> RunDetail:
    """Everything about a run but what it did, which are the spans of its trace."""
    fields, last = _fields(run.summary, plan), run.attempts[-1] if run.attempts else None
    if run.is_lost:
        fields["error"] = _GONE
    return RunDetail(
        **fields,
        attempts=tuple(
            _attempt(attempt, run.summary, is_last=attempt is last) for attempt in run.attempts
        ),
        input=Payload(value=run.input, truncated=run.input_cut, masked=run.input_masked)
        if run.attempts
        else None,
        output=Payload(value=last.output, truncated=last.output_cut)
        if last and last.output is not None
        else None,
        can_rerun=run.summary.trigger != "http" and run.summary.step in plan.topology.by_step,
    )


def log_line(line: record.LogLine) -> LogLine:
    """A line; data that is no object stands under ``data``."""
    data = line.data
    fields = {} if data is None else data if isinstance(data, dict) else {"data": data}
    return LogLine(
        id=line.id,
        at=line.at_ms,
        level=_LEVELS.get(line.level, "error"),
        message=line.msg,
        step=line.step,
        flows=line.flows,
        run_id=line.run_id,
        trace_id=line.trace_id,
        fields=fields,
    )


def attempt_status(attempt: record.Attempt, run: record.RunSummary, *, is_last: bool) -> RunStatus:
    """How an attempt ended: the last one as its run did."""
    if is_last and not attempt.is_lost:
        return run.status
    return "completed" if attempt.ended_ms is not None and attempt.error is None else "failed"


def error_view(error: RunError | None) -> ErrorView | None:
    """The error, without what only a retry policy needs."""
    if error is None:
        return None
    return ErrorView(
        type=error.type, message=error.message, where=error.where, traceback=error.traceback
    )


def _fields(run: record.RunSummary, plan: Plan) -> dict[str, Any]:
    queued, started, ended = run.queued_ms, run.started_ms, run.ended_ms
    return {
        "id": run.id,
        "step": run.step,
        "flows": run.flows,
        "trigger": run.trigger,
        "status": run.status,
        "topic": run.topic,
        "group": run.group,
        "trace_id": run.trace_id,
        "parent_id": run.parent_id,
        "attempt": run.attempt,
        "max_attempts": _max_attempts(run, plan),
        # Clocks differ: a message is not due after it is there.
        "queued_at": None if queued is None else min(queued, started),
        "started_at": started,
        "ended_at": ended,
        "wait_ms": None if queued is None else max(0.0, started - queued),
        "duration_ms": None if ended is None else max(0.0, ended - started),
        "error": error_view(run.error),
    }


def _max_attempts(run: record.RunSummary, plan: Plan) -> int:
    """What the Step allows now; its run may be older than that."""
    step = plan.step(run.step)
    allowed = 1 if run.trigger == "http" or step is None else step.retry.max_attempts
    return max(allowed, run.attempt)


def _attempt(attempt: record.Attempt, run: record.RunSummary, *, is_last: bool) -> Attempt:
    return Attempt(
        number=attempt.number,
        status=attempt_status(attempt, run, is_last=is_last),
        worker=attempt.worker or None,
        started_at=attempt.started_ms,
        ended_at=attempt.ended_ms,
        error=_GONE if attempt.is_lost else error_view(attempt.error),
    )
