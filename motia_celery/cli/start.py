"""Run the whole app in production mode: web, worker and beat in one command, without reload."""

from __future__ import annotations

from typing import Annotated

import typer

from motia_celery.cli import dev


def run(
    port: Annotated[int | None, typer.Option("--port", "-p", help="Port to listen on.")] = None,
    host: Annotated[str | None, typer.Option("--host", "-H", help="Address to bind.")] = None,
    debug: Annotated[bool, typer.Option("--debug", "-d", help="Show every log line.")] = False,
    quiet: dev.Quiet = False,
    motia_dir: dev.MotiaDir = None,
) -> None:
    """Runs everything until it is told to stop."""
    from motia_celery.run.dev import Way
    from motia_celery.run.dev import dev as run_all

    dev.tell_of_idle_options(quiet, motia_dir)
    run_all(port=port, host=host, way=Way(is_dev=False, debug=debug))
