"""Send the events of dead letters to the Steps that failed, each to its one Step."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from motia_celery.cli.dlq import selection as s
from motia_celery.errors import DeadLetterError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from motia_celery.broker.dead_letters import DeadLetters
    from motia_celery.model.dead_letter import DeadLetter, LetterFilter, NotReplayed

#: Some letters stay, though others may have been replayed.
SOME_STAY = 3


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
    edit: Annotated[
        bool, typer.Option("--edit", help="Open one letter's payload in $EDITOR first.")
    ] = False,
    data: Annotated[
        str, typer.Option("--data", metavar="FILE|-|JSON", help="Another payload for one letter.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many would be sent.")
    ] = False,
) -> None:
    """Replays them; exit code 3 if some stay."""
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
    letters = open_dead_letters(to_replay=True)
    wanted = s.with_ids(letters, wanted, ids)
    body = _payload(letters, wanted, data, edit=edit)
    with progress("Replaying") as tell:
        done = letters.replay(wanted, data=body, dry_run=dry_run, progress=tell)
    if not done.count and not done.stay:
        out.print("No dead letter matches.")
        return
    out.print(f"{'Would replay' if dry_run else 'Replayed'} {counted(done.count)}.")
    if done.stay:
        _complain(done.stay)
        raise typer.Exit(SOME_STAY)


def _complain(stay: Iterable[NotReplayed]) -> None:
    """Says once why letters stay, and which."""
    from rich.text import Text

    from motia_celery.cli.dlq.letters import counted, printable
    from motia_celery.cli.terminal import err

    by_cause: dict[tuple[str, str], list[str]] = {}
    for letter in stay:
        by_cause.setdefault((letter.why, letter.fix), []).append(letter.id)
    for (why, fix), ids in by_cause.items():
        some = ", ".join(ids[:3]) + (" …" if len(ids) > 3 else "")
        line = f"{counted(len(ids))} not replayed: {why} ({some})"
        err.print(Text.assemble(("✗ ", "bold red"), printable(line)), soft_wrap=True)
        if fix:
            err.print(Text(f"  → {fix}", "dim"), soft_wrap=True)


def _payload(letters: DeadLetters, wanted: LetterFilter, data: str, *, edit: bool) -> bytes | None:
    """The payload to send in place of the letter's; None for its own."""
    from motia_celery.model.dead_letter import is_json

    if not edit and not data:
        return None
    if edit and data:
        raise typer.BadParameter("Give --edit or --data, not both.")
    letter = _single(letters, wanted)
    body = _edited(letter) if edit else _given(data)
    if not is_json(body):
        raise DeadLetterError(
            "the new payload is not JSON, so nothing was replayed.", letter.id, "Correct it."
        )
    return body


def _single(letters: DeadLetters, wanted: LetterFilter) -> DeadLetter:
    found = letters.list(wanted, 1)
    if found.matching != 1:
        raise DeadLetterError(
            f"{found.matching} dead letters match, and a payload is for one.",
            "--edit and --data",
            "Name the id of one.",
        )
    return found.letters[0]


def _edited(letter: DeadLetter) -> bytes:
    from motia_celery.cli.dlq.editor import edited
    from motia_celery.cli.dlq.letters import payload

    return edited(payload(letter), letter.id).strip().encode()


def _given(data: str) -> bytes:
    if data == "-":
        return sys.stdin.buffer.read().strip()
    try:
        if Path(data).is_file():
            return Path(data).read_bytes().strip()
    except OSError:  # too long for a name
        pass
    return data.strip().encode()
