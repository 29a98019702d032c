"""Make a new app from a template."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from motia_celery.run.template import Template

_Name = Literal["python", "typescript", "multilang", "orders"]


def _app_name(text: str) -> str:
    from motia_celery.run.template import is_app_name

    if text != "." and not is_app_name(text):
        raise typer.BadParameter("letters, digits, - and _, or . for this folder.")
    return text


def run(
    name: Annotated[
        str, typer.Argument(callback=_app_name, help="Its name and new folder; . is this folder.")
    ],
    template: Annotated[
        _Name,
        typer.Option(
            "--template",
            "-t",
            help="python, typescript, multilang (three languages in one flow), or orders, "
            "the tutorial.",
        ),
    ] = "python",
    json: Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")] = False,
) -> None:
    """Writes the app into a folder of its own; one that is not empty is left as it is."""
    from motia_celery.run.template import TEMPLATES

    folder = Path(name)
    chosen = TEMPLATES[template]
    files = chosen.write(folder, folder.resolve().name)
    commands = _commands(name)
    if json:
        from json import dumps

        made = {"folder": str(folder.resolve()), "template": template, "commands": commands}
        print(dumps({**made, "files": [str(file) for file in files]}, indent=2))
    else:
        _tell(chosen, name, len(files), commands)


def _commands(name: str) -> list[str]:
    dev = f"{_program()} dev"
    return [dev] if name == "." else [f"cd {name}", dev]


def _program() -> str:
    """How this program is called from the new folder, where its own is not on the PATH too."""
    called, found = Path(sys.argv[0]).absolute(), shutil.which("motia-celery")
    if found and (called.stem != "motia-celery" or Path(found).samefile(called)):
        return "motia-celery"
    if called.stem == "motia-celery":
        return shlex.quote(str(called))
    return f"{shlex.quote(sys.executable)} -m motia_celery"


def _tell(template: Template, name: str, count: int, commands: list[str]) -> None:
    from motia_celery.cli.terminal import err, out
    from motia_celery.runtime.node import find_node

    where = "this folder" if name == "." else f"{name}/"
    out.print(f"Made {where}: {count} files, {template.description}. Go on with:\n")
    for command in commands:
        out.print(f"  {command}", soft_wrap=True, markup=False)
    out.print("\nIts README.md has the requests to try.")
    if template.needs_node and find_node() is None:
        err.print(
            "! It needs Node 20.11 or newer: pip install 'motia-celery[node]'",
            style="yellow",
            markup=False,
        )
