"""Look for problems in the project, errors and warnings; exit code 1 if there are any."""

from __future__ import annotations

from typing import Annotated

import typer


def run(
    json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON.")] = False,
    errors_only: Annotated[
        bool, typer.Option("--errors-only", help="Exit with 1 for errors alone, not for warnings.")
    ] = False,
) -> None:
    """Lists every problem with its file, line and fix; an error is a part that does not run."""
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
    else:
        show_problems(problems, out)
        space = "\n" if problems else ""
        told = _counted(len(problems), "problem") if problems else "No problems"
        out.print(f"{space}{told} in {_counted(len(plan.steps), 'Step')}.")
    counted = [p for p in problems if p.severity == "error" or not errors_only]
    raise typer.Exit(1 if counted else 0)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
