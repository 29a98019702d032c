"""Show what runs logged; with --follow, as they log it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from motia_celery.model.record import LogFilter, LogLine
    from motia_celery.stores.runs import Runs

_PAUSE_SECONDS = 1.0


def _level(text: str) -> str:
    from motia_celery.model.record import LEVELS

    level = {"warning": "warn"}.get(text.lower(), text.lower())
    if level not in LEVELS:
        raise typer.BadParameter(f"one of: {', '.join(LEVELS)}.")
    return level


def run(
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with the lines that come.")
    ] = False,
    steps: Annotated[
        list[str] | None, typer.Option("--step", help="Those of this Step; may be repeated.")
    ] = None,
    trace: Annotated[str, typer.Option("--trace", help="Those of this trace id.")] = "",
    run: Annotated[str, typer.Option("--run", help="Those of this run's id.")] = "",
    level: Annotated[
        str,
        typer.Option(
            "--level",
            callback=lambda text: text and _level(text),
            help="Those of this level and above: debug, info, warn, error.",
        ),
    ] = "",
    limit: Annotated[int, typer.Option("--limit", min=0, help="At most so many to begin with.")] = (
        100
    ),
    json: Annotated[bool, typer.Option("--json", help="A JSON object in each line.")] = False,
) -> None:
    """Prints the last lines, and with ``--follow`` those that come."""
    from motia_celery.cli.records.found import open_runs
    from motia_celery.model.record import LogFilter

    wanted = LogFilter(steps=frozenset(steps or ()), trace=trace, run=run, level=level)
    show = _shower(json)
    with open_runs() as runs:
        last = ""
        for line in runs.logs(wanted, limit) if limit else ():
            show(line)
            last = line.id
        if follow:
            _follow(runs, wanted, last, show)


def _shower(json: bool) -> Callable[[LogLine], None]:
    from motia_celery.cli.records.lines import as_json, as_text
    from motia_celery.cli.terminal import out
    from motia_celery.observe.logs import ConsoleFormatter

    formatter = ConsoleFormatter(color=out.is_terminal and not out.no_color)
    if json:
        return lambda line: print(as_json(line), flush=True)
    return lambda line: print(as_text(line, formatter), flush=True)


def _follow(runs: Runs, wanted: LogFilter, last: str, show: Callable[[LogLine], None]) -> None:
    """Shows lines until it is interrupted; Redis may go away meanwhile, and come back."""
    from motia_celery.cli.terminal import complain
    from motia_celery.errors import StoreUnavailableError

    is_away = False
    while True:
        try:
            for line in runs.follow(wanted, last):
                is_away = False
                if line is not None:
                    show(line)
                    last = line.id
        except StoreUnavailableError as error:
            if not is_away:
                complain(error)
            is_away = True
            time.sleep(_PAUSE_SECONDS)
