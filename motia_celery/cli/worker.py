"""Run the Steps that events and the clock start."""

from __future__ import annotations

from typing import Annotated

import typer

from motia_celery.run.environment import read_environment, remap_sigterm

_Names = Annotated[str | None, typer.Option(help="Serve only these Steps, comma-separated.")]
_Excluded = Annotated[str | None, typer.Option(help="Serve all but these Steps.")]
_Flows = Annotated[str | None, typer.Option(help="Serve only the Steps of these flows.")]


def run(
    steps: _Names = None,
    exclude: _Excluded = None,
    flows: _Flows = None,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", "-c", help="Runs at once.")
    ] = None,
    pool: Annotated[
        str | None, typer.Option("--pool", "-P", help="async, threads or prefork.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", "-n", help="The worker's name.")] = None,
) -> None:
    """Runs a worker until it is told to stop."""
    remap_sigterm()
    from motia_celery.run.worker import work

    settings = read_environment(concurrency=concurrency, pool=pool)
    work(
        settings,
        steps=_listed(steps),
        exclude=_listed(exclude),
        flows=_listed(flows),
        name=name,
    )


def _listed(names: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (names or "").split(",") if name.strip())
