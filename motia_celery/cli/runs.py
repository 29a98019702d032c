"""List runs, the newest first: what ran, how it went, and why it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from motia_celery.model.record import RunFilter, RunPage


def _status(text: str) -> str:
    from motia_celery.model.record import STATUSES

    if text not in STATUSES:
        raise typer.BadParameter(f"one of: {', '.join(STATUSES)}.")
    return text


def run(
    steps: Annotated[
        list[str] | None, typer.Option("--step", help="Those of this Step; may be repeated.")
    ] = None,
    flow: Annotated[str, typer.Option("--flow", help="Those of this flow.")] = "",
    statuses: Annotated[
        list[str] | None,
        typer.Option(
            "--status",
            parser=_status,
            metavar="STATUS",
            help="running, retrying, completed, failed or cancelled; may be repeated.",
        ),
    ] = None,
    since: Annotated[
        str, typer.Option("--since", metavar="AGE", help="Begun since: 90s, 2h, 3d, or a moment.")
    ] = "",
    trace: Annotated[str, typer.Option("--trace", help="Those of this trace id.")] = "",
    text: Annotated[str, typer.Option("--text", help="Those with this in their error.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 50,
    json: Annotated[bool, typer.Option("--json", help="A JSON object in each line.")] = False,
) -> None:
    """Prints a table, or with ``--json`` an object for each run."""
    from motia_celery.cli.records.found import open_runs
    from motia_celery.cli.records.times import since as begin
    from motia_celery.model.record import RunFilter

    chosen: Any = frozenset(statuses or ())
    wanted = RunFilter(
        steps=frozenset(steps or ()),
        flow=flow,
        statuses=chosen,
        trace=trace,
        text=text,
        since_ms=begin(since) if since else None,
    )
    with open_runs() as runs:
        page = runs.page(wanted, limit)
    _print_json(page) if json else _print_table(page, wanted)


def _print_json(page: RunPage) -> None:
    from json import dumps

    for run in page.runs:
        print(dumps(run.as_dict()))


def _print_table(page: RunPage, wanted: RunFilter) -> None:
    from motia_celery.cli.records.table import runs_table
    from motia_celery.cli.terminal import out
    from motia_celery.model.record import ALL_RUNS

    if not page.runs:
        out.print("No run is recorded." if wanted == ALL_RUNS else "No recorded run matches.")
        return
    out.print(runs_table(page.runs, out.width))
    more = "; there are older ones, see --limit" if page.cursor else ""
    out.print(f"{len(page.runs):,} run{'' if len(page.runs) == 1 else 's'}{more}.")
