"""Serve the routes."""

from __future__ import annotations

from typing import Annotated

import typer


def run(
    port: Annotated[int | None, typer.Option("--port", "-p", help="Port to listen on.")] = None,
    host: Annotated[str | None, typer.Option("--host", "-H", help="Address to bind.")] = None,
) -> None:
    """Serves the app's routes until it is told to stop."""
    from motia_celery.observe.logs import configure_logging
    from motia_celery.run.environment import read_environment
    from motia_celery.run.serve import serve

    settings = read_environment(port=port, host=host)
    configure_logging(settings.log_level, settings.log_format, "web", settings.redact_keys)
    serve(settings)
