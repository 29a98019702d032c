"""Delete dead letters for good."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from motia_celery.cli.dlq import selection as s


def run(
    ids: s.Ids = None,
    steps: s.Steps = None,
    topic: s.Topic = "",
    error: s.Error = "",
    reason: s.Reason = "",
    trace: s.Trace = "",
    older_than: s.OlderThan = None,
    newer_than: s.NewerThan = None,
    everything: s.Everything = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Deletes them, once it is confirmed; letters that died after the question stay."""
    from motia_celery.cli.dlq.letters import counted, open_dead_letters
    from motia_celery.cli.terminal import out, progress

    wanted = s.chosen(
        steps=steps,
        topic=topic,
        error=error,
        reason=reason,
        trace=trace,
        older_than=older_than,
        newer_than=newer_than,
    )
    s.require_choice(ids, wanted, everything)
    if not yes and not sys.stdin.isatty():
        raise typer.BadParameter("Without a terminal to ask on, this needs --yes.")
    letters = open_dead_letters()
    found = letters.ids(s.with_ids(letters, wanted, ids))
    if not found:
        out.print("No dead letter matches.")
        return
    out.print(f"This deletes {counted(found.total())} for good.")
    if not yes:
        typer.confirm("Go on?", abort=True)
    with progress("Deleting") as tell:
        dropped = letters.drop(found, tell)
    out.print(f"Deleted {counted(dropped)}.")
