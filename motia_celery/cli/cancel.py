"""Call off runs: one, those of a trace, or all that wait for a Step."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.command("run")
def cancel_run(
    ids: Annotated[list[str], typer.Argument(help="Ids of runs, as logs and Flower show them.")],
) -> None:
    """Cuts runs where they are; no further attempt of them begins."""
    from motia_celery.cli.control import control
    from motia_celery.cli.terminal import out

    controls = control()
    for run_id in ids:
        controls.cancel_run(run_id)
        out.print(f"The run {run_id} is called off.", soft_wrap=True)


@app.command("trace")
def cancel_trace(
    ids: Annotated[list[str], typer.Argument(help="Trace ids, as in the header X-Trace-Id.")],
) -> None:
    """Cuts every run of a trace; no further one begins."""
    from motia_celery.cli.control import control
    from motia_celery.cli.terminal import out

    controls = control()
    for trace_id in ids:
        controls.cancel_trace(trace_id)
        out.print(f"The trace {trace_id} is called off.", soft_wrap=True)


@app.command("queued")
def cancel_queued(
    steps: Annotated[list[str], typer.Argument(help="Names of Steps.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Drops all that waits for Steps: what runs goes on, what was dropped is gone."""
    from motia_celery.cli.control import control
    from motia_celery.cli.terminal import out

    if not yes:
        if not sys.stdin.isatty():
            raise typer.BadParameter("it drops events; without a terminal say --yes")
        typer.confirm(f"Drop all that waits for {', '.join(steps)}?", abort=True)
    controls = control()
    for step in steps:
        dropped = controls.cancel_queued(step)
        out.print(f"{step}: {dropped} events in its queue were dropped.", soft_wrap=True)
