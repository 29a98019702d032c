"""Look for problems in the project; exit code 1 if there are any."""

from __future__ import annotations

from typing import Annotated

import typer


def run(
    json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON.")] = False,
) -> None:
    """Lists every problem with its file, line and fix."""
    from motia_celery.cli.terminal import out, show_emptiness, show_problems
    from motia_celery.run.app import App
    from motia_celery.run.environment import read_environment
    from motia_celery.workbench.component_files import drawing_problems

    app = App(read_environment())
    plan, root = app.plan, app.settings.project_root
    problems = (*plan.problems, *drawing_problems(root, plan.steps))
    show_emptiness(plan)
    if json:
        from json import dumps

        print(dumps([problem.as_dict() for problem in problems], indent=2))
    elif problems:
        show_problems(problems, out)
        out.print(f"\n{len(problems)} problems in {len(plan.steps)} Steps.")
    else:
        out.print(f"No problems in {len(plan.steps)} Steps.")
    raise typer.Exit(1 if problems else 0)
