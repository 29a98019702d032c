"""Run the whole app on this machine: web, worker and beat, with reload."""

from __future__ import annotations

from typing import Annotated

import typer

_MOTIAS = "Motia's; it does nothing here, and says so."
Quiet = Annotated[bool, typer.Option("--disable-verbose", "-v", hidden=True, help=_MOTIAS)]
MotiaDir = Annotated[str | None, typer.Option("--motia-dir", hidden=True, help=_MOTIAS)]


def run(
    port: Annotated[int | None, typer.Option("--port", "-p", help="Port to listen on.")] = None,
    host: Annotated[str | None, typer.Option("--host", "-H", help="Address to bind.")] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the Workbench in a browser.")] = False,
    debug: Annotated[bool, typer.Option("--debug", "-d", help="Show every log line.")] = False,
    mermaid: Annotated[
        bool, typer.Option("--mermaid", "-m", help="Draw each flow into .mermaid/<flow>.mmd.")
    ] = False,
    quiet: Quiet = False,
    motia_dir: MotiaDir = None,
) -> None:
    """Runs everything until Ctrl-C; starts a Valkey of its own where no server is set."""
    from motia_celery.run.dev import Way, dev

    tell_of_idle_options(quiet, motia_dir)
    dev(port=port, host=host, way=Way(show=show, debug=debug, mermaid=mermaid))


def tell_of_idle_options(quiet: bool, motia_dir: str | None) -> None:
    """Says of Motia's options that do nothing here what does what they did."""
    from motia_celery.cli.terminal import err

    if quiet:
        err.print(
            "--disable-verbose does nothing: a log line is one line. LOG_LEVEL=warn has fewer."
        )
    if motia_dir:
        err.print(
            "--motia-dir does nothing: data is in the project's .motia, or where REDIS_URL is."
        )
