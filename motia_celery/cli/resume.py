"""Let paused Steps go on."""

from __future__ import annotations

from typing import Annotated

import typer


def run(
    steps: Annotated[list[str] | None, typer.Argument(help="Names of Steps.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every paused Step.")] = False,
) -> None:
    """Resumes Steps that were paused."""
    from motia_celery.cli.control import control
    from motia_celery.cli.terminal import out

    controls = control()
    for step in controls.paused() if everything else steps or ():
        done = controls.resume(step)
        out.print(f"{step} goes on." if done else f"{step} was not paused.")
