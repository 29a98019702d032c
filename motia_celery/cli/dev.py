"""Run the whole app on this machine: web, worker and beat, with reload."""

from __future__ import annotations

from typing import Annotated

import typer


def run(
    port: Annotated[int | None, typer.Option("--port", "-p", help="Port to listen on.")] = None,
    host: Annotated[str | None, typer.Option("--host", "-H", help="Address to bind.")] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the Workbench in a browser.")] = False,
) -> None:
    """Runs everything until Ctrl-C; starts a Valkey of its own where no server is set."""
    from motia_celery.run.dev import dev

    dev(port=port, host=host, show=show)
