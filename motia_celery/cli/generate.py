"""Write files that are made from the project, and new Steps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from motia_celery.model.step import Language

app = typer.Typer(help=__doc__, no_args_is_help=True)


@app.callback()
def generate() -> None:
    """Write files that are made from the project, and new Steps."""


@app.command()
def step(
    name: Annotated[str, typer.Argument(help="The Step's name, such as send-mail.")],
    kind: Annotated[
        Literal["api", "event", "cron", "noop"],
        typer.Option("--type", "-t", help="What starts it: a request, an event, the clock; noop."),
    ] = "event",
    language: Annotated[
        Literal["python", "typescript", "javascript", "ruby"] | None,
        typer.Option("--language", "-l", help="[default: typescript where tsconfig.json is]"),
    ] = None,
    folder: Annotated[Path, typer.Option("--dir", "-d", help="Its folder.")] = Path("steps"),
) -> None:
    """Write a Step's file, which `dev` picks up at once."""
    from motia_celery.cli.terminal import out
    from motia_celery.run.environment import read_environment
    from motia_celery.run.step_file import StepFile

    root = read_environment().project_root
    if not name.strip():
        raise typer.BadParameter("A Step needs a name.")
    chosen = language or _language(root)
    path = StepFile(name=name, kind=kind, language=chosen, folder=folder).write(root)
    out.print(f"Wrote {path}", soft_wrap=True, markup=False)


def _language(root: Path) -> Language:
    return "typescript" if (root / "tsconfig.json").is_file() else "python"


@app.command()
def openapi(
    title: Annotated[
        str | None, typer.Option("--title", "-t", help="[default: the folder's name]")
    ] = None,
    version: Annotated[str, typer.Option("--version", "-v", help="The API's version.")] = "1.0.0",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file to write; - is the terminal.")
    ] = Path("openapi.json"),
) -> None:
    """Write the OpenAPI document of the routes."""
    from json import dumps

    from motia_celery.cli.terminal import out

    text = dumps(_document(title, version), indent=2) + "\n"
    if str(output) == "-":
        print(text, end="")
        return
    output.write_text(text, "utf-8")
    out.print(f"Wrote {output}", soft_wrap=True, markup=False)


def _document(title: str | None, version: str) -> dict[str, Any]:
    from motia_celery.run.app import App
    from motia_celery.run.environment import read_environment
    from motia_celery.run.openapi import openapi_document

    settings = read_environment()
    name = title or settings.project_root.name or "motia-celery"
    return openapi_document(App(settings).plan.routes, settings, name, version)


@app.command()
def types() -> None:
    """Write what editors and tsc read: motia-env.d.ts for imports from 'motia', and types.d.ts
    for the project's own Steps and streams.
    """
    from motia_celery.cli.terminal import out
    from motia_celery.run.app import App
    from motia_celery.run.environment import read_environment
    from motia_celery.run.typings import write_step_types, write_types

    settings = read_environment()
    if file := write_types(settings.project_root):
        out.print(f"Wrote {file.name}. It counts where tsconfig.json includes it.")
    else:
        out.print("The package 'motia' is installed here and brings its own types.")
    plan = App(settings).plan
    file = write_step_types(settings.project_root, plan)
    out.print(f"Wrote {file.name}: {len(plan.steps)} Steps, {len(plan.streams)} streams.")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a Step's config, for editors and other tools."""
    import json

    from motia_celery.model.schema import config_schema

    typer.echo(json.dumps(config_schema(), indent=2))
