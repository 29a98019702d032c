"""Look at dead letters, send them to their Steps again, or delete them."""

from __future__ import annotations

import typer

from motia_celery.cli.dlq import drop, list, replay, show

app = typer.Typer(help=__doc__, no_args_is_help=True)

for command in (list, show, replay, drop):
    app.command(command.__name__.rpartition(".")[2], help=command.__doc__)(command.run)
