"""Show everything about a dead letter: its error, payload and traceback."""

from __future__ import annotations

from typing import Annotated

import typer


def run(
    identity: Annotated[str, typer.Argument(metavar="ID", help="Its id, or the beginning of it.")],
    json: Annotated[bool, typer.Option("--json", help="As a JSON object in one line.")] = False,
) -> None:
    """Prints the letter; all of them, where a run died more than once."""
    from motia_celery.cli.dlq.letters import as_line, letter_text, open_dead_letters
    from motia_celery.cli.terminal import out

    for letter in open_dead_letters().show(identity):
        if json:
            print(as_line(letter))
        else:
            out.print(letter_text(letter), soft_wrap=True)
