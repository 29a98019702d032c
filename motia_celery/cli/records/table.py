"""A list of runs as a table."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from motia_celery.cli.dlq.letters import age, printable
from motia_celery.cli.records.marks import status_text
from motia_celery.cli.records.times import duration

if TYPE_CHECKING:
    from motia_celery.model.record import RunSummary


#: Terminals that are narrower have no room for the trace, which `run` shows too.
_WIDE = 100


def runs_table(runs: Sequence[RunSummary], width: int) -> Table:
    """One row for each run, cut to the terminal's width."""
    table = Table(box=box.SIMPLE_HEAD, expand=False)
    table.add_column("Run", no_wrap=True, min_width=8)
    table.add_column("Status", no_wrap=True, min_width=11)
    table.add_column("Step", overflow="ellipsis", no_wrap=True, min_width=8, max_width=width // 4)
    table.add_column("Started by", overflow="ellipsis", no_wrap=True, max_width=width // 6)
    table.add_column("Tries", justify="right", no_wrap=True, min_width=5)
    table.add_column("Took", justify="right", no_wrap=True, min_width=8)
    table.add_column("Age", justify="right", no_wrap=True, min_width=3)
    if width >= _WIDE:
        table.add_column("Trace", no_wrap=True, min_width=8)
    table.add_column("Error", overflow="ellipsis", no_wrap=True)
    for run in runs:
        table.add_row(*_row(run, is_wide=width >= _WIDE))
    return table


def _row(run: RunSummary, *, is_wide: bool) -> Iterator[Text | str]:
    yield run.id[:8]
    yield status_text(run.status)
    yield _line(run.step)
    yield _line(run.topic or run.trigger)
    yield str(run.attempt)
    yield duration(took(run))
    yield age(datetime.fromtimestamp(run.started_ms / 1000, UTC))
    if is_wide:
        yield run.trace_id[:8]
    yield _error(run)


def took(run: RunSummary, now_ms: float | None = None) -> float | None:
    """From the begin of its first attempt to its end, or to now while it goes on."""
    if run.ended_ms is not None:
        return max(0.0, run.ended_ms - run.started_ms)
    now = time.time() * 1000 if now_ms is None else now_ms
    return max(0.0, now - run.started_ms)


def _error(run: RunSummary) -> Text:
    return Text(printable(str(run.error)).replace("\n", " "), "red") if run.error else Text()


def _line(text: str) -> Text:
    return Text(printable(text).replace("\n", " "))
