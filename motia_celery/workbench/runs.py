"""Runs, traces and logs, as the records hold them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from motia_celery.errors import NotFoundError, RequestError
from motia_celery.model.event import run_id
from motia_celery.workbench.shapes.app import Started
from motia_celery.workbench.shapes.runs import (
    Logs,
    LogsQuery,
    Rerun,
    RunDetail,
    Runs,
    RunsQuery,
    TraceView,
)
from motia_celery.workbench.sources import From, Records, Sources
from motia_celery.workbench.trying import event_of

router = APIRouter(tags=["runs"])


@router.get("/runs")
async def get_runs(sources: From, query: Annotated[RunsQuery, Query()]) -> Runs:
    """A page of runs, newest first."""
    return Runs(runs=()) if sources.records is None else await sources.records.runs(query)


@router.get("/runs/{run_id}")
async def get_run(sources: From, run_id: str) -> RunDetail:
    """Everything that was kept of one run."""
    return await _run(sources, run_id)


@router.get("/traces/{trace_id}")
async def get_trace(sources: From, trace_id: str) -> TraceView:
    """All runs from one cause, and what each did."""
    trace = await _records(sources).trace(trace_id)
    if trace is None:
        raise _gone(f"the trace {trace_id!r}")
    return trace


@router.get("/logs")
async def get_logs(sources: From, query: Annotated[LogsQuery, Query()]) -> Logs:
    """A page of log lines, newest first."""
    return Logs(lines=()) if sources.records is None else await sources.records.logs(query)


@router.post("/runs/{run_id}/rerun")
async def rerun(sources: From, run_id: str, request: Rerun) -> Started:
    """Does a run again as a new one of a trace of its own, with the input that was kept."""
    run = await _run(sources, run_id)
    queue = sources.plan.topology.by_step.get(run.step)
    if queue is None:
        raise RequestError(
            f"{run.step!r} is started by requests only, or is gone.",
            "rerun",
            "Send its request again from Try.",
        )
    return await _again(sources, run, request)


async def _again(sources: Sources, run: RunDetail, request: Rerun) -> Started:
    kept = run.input
    if request.edited is None and (kept is None or kept.truncated):
        raise RequestError(
            "the input of the run was not kept whole.", run.id, "Rerun it with an edited input."
        )
    data = request.edited.data if request.edited else kept and kept.value
    event, queue = event_of(run.topic or "", data), sources.plan.topology.by_step[run.step]
    await sources.publisher.send(event, queue)
    return Started(
        event_id=event.id,
        trace_id=event.trace.trace_id,
        runs={run.step: run_id(event.id, queue.name)},
    )


async def _run(sources: Sources, identity: str) -> RunDetail:
    run = await _records(sources).run(identity)
    if run is None:
        raise _gone(f"the run {identity!r}")
    return run


def _records(sources: Sources) -> Records:
    if sources.records is None:
        raise NotFoundError("runs are not kept here.", "records")
    return sources.records


def _gone(what: str) -> NotFoundError:
    return NotFoundError(f"{what} is not known.", "", "Records are kept for a while only.")
