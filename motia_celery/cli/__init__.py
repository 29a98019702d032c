"""The command line: one module for each command."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from motia_celery.cli import (
    beat,
    cancel,
    check,
    create,
    dev,
    dlq,
    doctor,
    emit,
    flower,
    generate,
    logs,
    motia,
    pause,
    plan,
    release,
    resume,
    run,
    runs,
    start,
    state,
    trace,
    version,
    web,
    worker,
)
from motia_celery.errors import FrameworkError

app = typer.Typer(
    name="motia-celery",
    help="Steps on RabbitMQ, Celery and Redis.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_COMMANDS = (
    *(create, dev, start),
    *(web, worker, beat, release, flower),
    *(plan, check, doctor, emit, pause, resume, version),
    *(runs, run, trace, logs),
)
for command in _COMMANDS:
    name = command.__name__.rpartition(".")[2]
    app.command(name, help=command.__doc__)(command.run)
app.add_typer(cancel.app, name="cancel")
app.add_typer(state.app, name="state")
app.add_typer(generate.app, name="generate")
app.add_typer(dlq.app, name="dlq")
app.command("generate-types", hidden=True, help="Motia's name of `generate types`.")(generate.types)
motia.add_to(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        version.run()
        raise typer.Exit


@app.callback()
def options(
    directory: Annotated[
        str | None, typer.Option("--directory", "-C", help="Run as if started in this folder.")
    ] = None,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", is_eager=True, callback=_show_version, help="Print the version."
        ),
    ] = False,
) -> None:
    """Steps on RabbitMQ, Celery and Redis."""
    if directory:
        import os

        os.environ.pop("MOTIA_ROOT", None)
        try:
            os.chdir(directory)
        except OSError as error:
            raise typer.BadParameter(f"{directory}: {error.strerror}.") from error


def main() -> None:
    """Runs the command; a person's mistake ends with one clear line and exit code 1."""
    try:
        app()
    except FrameworkError as error:
        from motia_celery.cli.terminal import complain

        complain(error)
        sys.exit(1)
    except OSError as error:
        if error.filename is None:  # no file that somebody named
            raise
        from motia_celery.cli.terminal import complain

        what = f"{error.strerror}."
        complain(FrameworkError(what, str(error.filename), "Look at the path, and who may write."))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
