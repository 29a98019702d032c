"""The records of runs, for the Workbench: asked in threads, followed on the event loop."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

import anyio.to_thread

from motia_celery.errors import RequestError, StoreUnavailableError
from motia_celery.model.record import (
    LogFilter,
    LogLine,
    RunFilter,
    RunPage,
    RunRecord,
    RunSummary,
    Status,
)
from motia_celery.plan import Plan
from motia_celery.settings import Settings
from motia_celery.stores import runs as stored
from motia_celery.stores.run_changes import Changed, run_changes
from motia_celery.workbench.shapes.feed import LogMessage, RunMessage
from motia_celery.workbench.shapes.runs import (
    Logs,
    LogsQuery,
    RunDetail,
    Runs,
    RunsQuery,
    RunStatus,
    TraceView,
)
from motia_celery.workbench.spans import spans_of
from motia_celery.workbench.views import log_line, run_detail, run_view

#: A trace is told whole, up to so many runs.
TRACE_RUNS = 500
#: The cursors of pages: a moment and a run, the id of a line.
_RUN = re.compile(r"\d+(\.\d+)? \S.*", re.DOTALL)
_LINE = re.compile(r"\d{1,20}-\d{1,20}")


class StoredRecords:
    """The records that the processes of an app write to Redis."""

    def __init__(self, settings: Settings, plan: Plan) -> None:
        self._settings = settings
        self._plan = plan
        self._runs = stored.Runs(settings)

    async def runs(self, query: RunsQuery) -> Runs:
        """A page of runs, newest first. What waits in a queue has no record yet."""
        _require(query.cursor, _RUN)
        wanted = _run_filter(query)
        if query.status and not wanted.statuses:
            return Runs(runs=(), total=0)

        def ask() -> tuple[RunPage, int | None]:
            page = self._runs.page(wanted, query.limit, query.cursor or None)
            if not query.cursor and page.cursor is None:
                return page, len(page.runs)
            return page, None if query.cursor else self._runs.count(wanted)

        page, total = await anyio.to_thread.run_sync(ask)
        runs = tuple(run_view(run, self._plan) for run in page.runs)
        return Runs(runs=runs, next=page.cursor, total=total)

    async def tally(self) -> Mapping[tuple[str, RunStatus], int]:
        """How many of the latest runs there are, by Step and status."""

        def ask() -> Counter[tuple[str, RunStatus]]:
            page = self._runs.page(limit=stored.COUNTED)
            return Counter((run.step, run.status) for run in page.runs if run.trigger != "http")

        return await anyio.to_thread.run_sync(ask)

    async def run(self, run_id: str) -> RunDetail | None:
        """One run, or None."""
        record = await anyio.to_thread.run_sync(self._runs.get, run_id)
        return None if record is None else run_detail(record, self._plan)

    async def trace(self, trace_id: str) -> TraceView | None:
        """The runs of a trace in the order of their start, or None."""

        def ask() -> tuple[Sequence[RunRecord], int]:
            return self._runs.trace(trace_id, TRACE_RUNS), self._runs.trace_size(trace_id)

        records, size = await anyio.to_thread.run_sync(ask)
        return self._trace(trace_id, records, size) if records else None

    async def logs(self, query: LogsQuery) -> Logs:
        """A page of lines, newest first."""
        _require(query.cursor, _LINE)
        wanted = _log_filter(query)

        def ask() -> Sequence[LogLine]:
            return self._runs.logs(wanted, query.limit, query.cursor or "")

        found = await anyio.to_thread.run_sync(ask)
        lines = tuple(log_line(line) for line in reversed(found))
        return Logs(lines=lines, next=lines[-1].id if len(lines) == query.limit else None)

    async def clear(self) -> None:
        """Forgets all runs, traces and logs."""
        await anyio.to_thread.run_sync(self._runs.clear)

    async def changes(self) -> AsyncGenerator[RunMessage | LogMessage | None, None]:
        """Runs as they change and lines as they are logged; None where some may have been lost."""
        async with aclosing(run_changes(self._settings)) as changes:
            async for changed in changes:
                if changed is None:
                    yield None
                    continue
                for message in await self._messages(changed):
                    yield message

    async def _messages(self, changed: Changed) -> Sequence[RunMessage | LogMessage | None]:
        """Lines before runs: who sees that a run is over has its lines."""
        found: list[RunMessage | LogMessage | None] = []
        if changed.lines:
            found.append(LogMessage(lines=tuple(map(log_line, changed.lines))))
        if changed.ids:
            try:
                runs = await anyio.to_thread.run_sync(self._runs.summaries, [*changed.ids])
            except StoreUnavailableError:
                return [*found, None]
            found += [RunMessage(run=run_view(run, self._plan)) for run in runs]
        return found

    def _trace(self, trace_id: str, records: Sequence[RunRecord], size: int) -> TraceView:
        summaries = [record.summary for record in records]
        first = next((run for run in summaries if run.parent_id is None), summaries[0])
        status = _status_of({run.status for run in summaries})
        ends = [run.ended_ms for run in summaries if run.ended_ms is not None]
        is_over = status not in ("running", "retrying")
        return TraceView(
            id=trace_id,
            name=first.step,
            status=status,
            started_at=min(_began(run) for run in summaries),
            ended_at=max(ends) if is_over and ends else None,
            runs=tuple(run_detail(record, self._plan) for record in records),
            left_out=max(0, size - len(records)),
            spans=spans_of(records),
        )

    def close(self) -> None:
        """Lets go of its connections; it blocks."""
        self._runs.close()


def _require(cursor: str | None, form: re.Pattern[str]) -> None:
    if cursor and not form.fullmatch(cursor):
        raise RequestError("it is the cursor of no page.", "query.cursor", "Begin without one.")


def _run_filter(query: RunsQuery) -> RunFilter:
    return RunFilter(
        steps=frozenset(query.step),
        flows=frozenset(query.flow),
        statuses=frozenset(status for status in query.status if status != "queued"),
        triggers=frozenset(query.trigger),
        trace=query.trace,
        text=query.text,
        since_ms=query.after,
        until_ms=query.before,
    )


def _log_filter(query: LogsQuery) -> LogFilter:
    return LogFilter(
        steps=frozenset(query.step),
        flows=frozenset(query.flow),
        trace=query.trace,
        run=query.run,
        levels=frozenset(query.level),
        text=query.text,
        since_ms=query.after,
        until_ms=query.before,
    )


def _status_of(statuses: set[Status]) -> RunStatus:
    """A trace's: what goes on counts most, then what went wrong."""
    order: tuple[Status, ...] = ("running", "retrying", "failed", "cancelled")
    return next((status for status in order if status in statuses), "completed")


def _began(run: RunSummary) -> float:
    return run.started_ms if run.queued_ms is None else min(run.queued_ms, run.started_ms)
