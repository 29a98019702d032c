"""Show a trace: all runs from one cause, as a waterfall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from motia_celery.model.record import RunRecord


def run(
    id: Annotated[
        str,
        typer.Argument(metavar="ID", help="Its id, the beginning of it, or the id of a run in it."),
    ],
    json: Annotated[bool, typer.Option("--json", help="A JSON object for each run.")] = False,
) -> None:
    """Prints the waterfall, or with ``--json`` the records of the runs."""
    from json import dumps

    from motia_celery.cli.records.found import find_trace, open_runs

    with open_runs() as runs:
        trace, records = find_trace(runs, id)
    if json:
        for record in records:
            print(dumps(record.as_dict()))
    else:
        _draw(trace, records)


def _draw(trace: str, records: Sequence[RunRecord]) -> None:
    import time

    from motia_celery.cli.records.times import moment
    from motia_celery.cli.records.waterfall import LEGEND, waterfall
    from motia_celery.cli.terminal import out

    flows = sorted({flow for record in records for flow in record.summary.flows})
    named = f"  {', '.join(flows)}" if flows else ""
    count = f"{len(records):,} run{'' if len(records) == 1 else 's'}"
    began = moment(min(record.summary.started_ms for record in records))
    out.print(f"[bold]{trace}[/bold]  {count}{named}  [dim]{began}[/dim]\n", soft_wrap=True)
    for line in waterfall(records, out.width, time.time() * 1000):
        out.print(line, no_wrap=True, crop=False, overflow="ignore")
    out.print(f"\n[dim]{LEGEND}[/dim]", soft_wrap=True)
