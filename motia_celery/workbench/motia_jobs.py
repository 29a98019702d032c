"""Runs and dead letters in the shapes that BullMQ's jobs have."""

from __future__ import annotations

from typing import Any, Final

from motia_celery.model.dead_letter import DeadLetter
from motia_celery.workbench.shapes.runs import RunDetail

#: What the id of a dead letter's job begins with; its run's id follows.
ID: Final = "dlq-"


def job_of(run: RunDetail) -> dict[str, Any]:
    """A run as a job."""
    error = run.error
    return {
        "id": run.id,
        "name": run.topic or run.step,
        "data": _event(run.topic or "", run.input and run.input.value, run.trace_id, run.group),
        "opts": {"attempts": run.max_attempts},
        "progress": 0,
        "attemptsMade": run.attempt,
        "failedReason": error.message if error else None,
        "stacktrace": [error.traceback or str(error.message)] if error else [],
        "returnvalue": run.output.value if run.output else None,
        "timestamp": run.queued_at or run.started_at,
        "processedOn": run.started_at,
        "finishedOn": run.ended_at,
        "delay": 0,
    }


def dead_of(letter: DeadLetter) -> dict[str, Any]:
    """A dead letter as the list of them has it."""
    died = letter.died_at.timestamp() * 1000 if letter.died_at else None
    return {
        "id": f"{ID}{letter.id}",
        "originalEvent": _event(letter.topic, letter.data, letter.trace_id),
        "failureReason": letter.error.message or letter.reason,
        "failureTimestamp": died,
        "attemptsMade": letter.attempts,
        "originalJobId": letter.id,
    }


def dead_job_of(letter: DeadLetter) -> dict[str, Any]:
    """A dead letter as a job of the queue that holds them."""
    told = dead_of(letter)
    return {
        "id": told.pop("id"),
        "name": letter.topic or letter.step,
        "data": told,
        "opts": {},
        "progress": 0,
        "attemptsMade": 0,
        "failedReason": None,
        "stacktrace": [],
        "returnvalue": None,
        "timestamp": told["failureTimestamp"],
        "processedOn": None,
        "finishedOn": None,
        "delay": 0,
    }


def _event(topic: str, data: object, trace_id: str, group: str | None = None) -> dict[str, Any]:
    event = {"topic": topic, "data": data, "traceId": trace_id}
    return event if group is None else {**event, "messageGroupId": group}
