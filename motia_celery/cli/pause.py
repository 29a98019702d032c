"""Keep the events of Steps in their queues."""

from __future__ import annotations

from typing import Annotated

import typer


def run(
    steps: Annotated[
        list[str] | None, typer.Argument(help="Names of Steps. Without any: list the paused ones.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the paused Steps as JSON.")] = False,
) -> None:
    """Pauses Steps, through restarts, until they are resumed; their queues fill meanwhile."""
    from motia_celery.cli.control import control
    from motia_celery.cli.terminal import out

    controls = control()
    for step in steps or ():
        done = controls.pause(step)
        if not json:
            out.print(f"{step} is paused." if done else f"{step} was paused already.")
    paused = controls.paused()
    if json:
        from json import dumps

        print(dumps({"paused": paused}))
    elif not steps:
        out.print("\n".join(paused) or "No Step is paused.")
