"""List dead letters, the oldest first; none is taken away."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer

from motia_celery.cli.dlq import selection as s


def run(
    ids: s.IdOptions = None,
    steps: s.Steps = None,
    topic: s.Topic = "",
    error: s.Error = "",
    reason: s.Reason = "",
    trace: s.Trace = "",
    older_than: s.OlderThan = None,
    newer_than: s.NewerThan = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="At most so many. [50; all with --json]")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="A JSON object in each line.")] = False,
) -> None:
    """Prints a table, or with ``--json`` every letter with its payload."""
    from motia_celery.cli.dlq.letters import as_line, counted, letters_table, open_dead_letters
    from motia_celery.cli.terminal import out

    letters = open_dead_letters()
    wanted = s.chosen(
        steps=steps,
        topic=topic,
        error=error,
        reason=reason,
        trace=trace,
        older_than=older_than,
        newer_than=newer_than,
    )
    wanted = s.with_ids(letters, wanted, ids)
    if json:
        for letter in islice(letters.each(wanted), limit):
            print(as_line(letter))
        return
    found = letters.list(wanted, limit or 50)
    if found.letters:
        out.print(letters_table(found.letters))
    of = "" if found.matching == len(found.letters) else f" of {found.matching:,} that match"
    out.print(f"{len(found.letters):,}{of}; {counted(found.total)} in all.")
