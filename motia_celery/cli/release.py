"""Bring the broker to the Plan; run it once at each deploy."""

from __future__ import annotations

from typing import Annotated

import typer


def run(
    json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Declares exchanges, queues and bindings, and takes away what earlier plans left."""
    from motia_celery.cli.terminal import out, show_problems
    from motia_celery.run.app import App
    from motia_celery.run.environment import read_environment
    from motia_celery.run.release import release

    settings = read_environment()
    app = App(settings)
    show_problems(p for p in app.plan.problems if p.severity == "error")
    done = release(settings, app.plan)
    if json:
        from json import dumps

        queues = [queue.name for queue in app.plan.topology.queues]
        print(dumps({"prefix": settings.prefix, "queues": queues, "changes": done}, indent=2))
        return
    for line in done:
        out.print(f"• {line}", soft_wrap=True)
    out.print(
        f"Released: {len(app.plan.topology.queues)} queues under the prefix "
        f"{settings.prefix!r} are as planned.",
        soft_wrap=True,
    )
