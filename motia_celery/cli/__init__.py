"""The command line: one module for each command."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from motia_celery.errors import FrameworkError

if TYPE_CHECKING:
    from collections.abc import Sequence

    app: typer.Typer

_COMMANDS = (
    *("create", "dev", "start"),
    *("web", "worker", "beat", "release", "flower"),
    *("plan", "check", "doctor", "emit", "pause", "resume", "version"),
    *("runs", "run", "trace", "logs"),
)
_GROUPS = ("cancel", "state", "generate", "dlq")


def commands(names: Sequence[str] = _COMMANDS, groups: Sequence[str] = _GROUPS) -> typer.Typer:
    """The command line; with names, the one that has these commands alone."""
    program = typer.Typer(
        name="motia-celery",
        help="Steps on RabbitMQ, Celery and Redis.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    program.callback()(options)
    for name in names:
        command = _module(name)
        program.command(name, help=command.__doc__)(command.run)
    for name in groups:
        program.add_typer(_module(name).app, name=name)
    return program


def _everything() -> typer.Typer:
    program = commands()
    types = _module("generate").types
    hidden = program.command(
        "generate-types", hidden=True, help="Motia's name of `generate types`."
    )
    hidden(types)
    _module("motia").add_to(program)
    return program


def _module(name: str) -> Any:
    return importlib.import_module(f"{__name__}.{name}")


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = _everything()
    return globals()[name]


def _show_version(wanted: bool) -> None:
    if wanted:
        _module("version").run()
        raise typer.Exit


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
    asked = [name for name in sys.argv[1:2] if name in _COMMANDS]
    try:
        # A web process or a worker would hold what the other commands import for as long as it
        # lives.
        (commands(asked, ()) if asked else _everything())()
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
