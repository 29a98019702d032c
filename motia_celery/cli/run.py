"""Show everything about a run: its input, and what each of its attempts did."""

from __future__ import annotations

from typing import Annotated

import typer


def run(
    id: Annotated[str, typer.Argument(metavar="ID", help="Its id, or the beginning of it.")],
    json: Annotated[bool, typer.Option("--json", help="As a JSON object in one line.")] = False,
) -> None:
    """Prints the run's record."""
    from json import dumps

    from motia_celery.cli.records.found import find_run, open_runs
    from motia_celery.cli.records.story import story
    from motia_celery.cli.terminal import out

    with open_runs() as runs:
        record = find_run(runs, id)
    if json:
        print(dumps(record.as_dict()))
    else:
        out.print(story(record), soft_wrap=True, end="")
