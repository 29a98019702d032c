"""How commands speak to a person: problems as a list, errors with their fix."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from motia_celery.errors import FrameworkError
    from motia_celery.model.problem import Problem
    from motia_celery.plan import Plan

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

_MARKS = {"error": ("✗", "bold red"), "warning": ("!", "bold yellow")}


def show_problems(problems: Iterable[Problem], console: Console = err) -> None:
    """Each problem with its place, what is wrong, and what to do."""
    for problem in problems:
        mark, style = _MARKS[problem.severity]
        line = Text.assemble((f"{mark} ", style), (problem.place, "bold"), f"  {problem.what}")
        console.print(line, soft_wrap=True)
        console.print(Text(f"  → {problem.fix}", "dim"), soft_wrap=True)


def show_emptiness(plan: Plan) -> None:
    """Says so where the folder has no Steps: most often it is another one than was meant."""
    if plan.steps or plan.problems:
        return
    err.print(Text("! There is no Step below steps/ or src/ in this folder.", "yellow"))
    fix = "Go into the project's folder, name it by -C, or make an app: motia-celery create NAME"
    err.print(Text(f"  → {fix}", "dim"), soft_wrap=True)


def complain(error: FrameworkError) -> None:
    """An error that a person can mend."""
    place = f"{error.where}: " if error.where else ""
    err.print(Text.assemble(("✗ ", "bold red"), (place, "bold"), error.what), soft_wrap=True)
    if error.fix:
        err.print(Text(f"  → {error.fix}", "dim"), soft_wrap=True)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on standard error, where that is a terminal; it is told how many are done, of how
    many where that is known."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda seen, total: bar.update(task, completed=seen, total=total)
