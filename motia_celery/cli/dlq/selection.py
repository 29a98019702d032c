"""The options that choose dead letters, and what they choose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from motia_celery.model.dead_letter import ALL, REASONS, LetterFilter

if TYPE_CHECKING:
    from motia_celery.broker.dead_letters import DeadLetters

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_age(text: str) -> timedelta:
    """``90s``, ``15m``, ``2h``, ``3d``, ``1w``, or some of them in a row: ``1h30m``.

    Raises:
        BadParameter: it is none of these.
    """
    parts = re.findall(r"(\d+)([smhdw])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise typer.BadParameter(f"{text!r} is no age. Write 90s, 15m, 2h, 3d, 1w or 1h30m.")
    try:
        return sum((timedelta(**{_UNITS[u]: int(n)}) for n, u in parts), timedelta())
    except OverflowError:
        raise typer.BadParameter(f"{text!r} is longer than time.") from None


def _reason(text: str) -> str:
    if text not in REASONS:
        raise typer.BadParameter(f"one of: {', '.join(REASONS)}.")
    return text


_PANEL = "Which dead letters"
Ids = Annotated[
    list[str] | None, typer.Argument(metavar="ID…", help="Their ids, or the beginnings of them.")
]
IdOptions = Annotated[
    list[str] | None,
    typer.Option("--id", help="Those with this id, or beginning of one.", rich_help_panel=_PANEL),
]
Steps = Annotated[
    list[str] | None, typer.Option("--step", help="Those of this Step.", rich_help_panel=_PANEL)
]
Topic = Annotated[
    str,
    typer.Option("--topic", help="Those of this topic, or pattern.", rich_help_panel=_PANEL),
]
Error = Annotated[
    str,
    typer.Option(
        "--error",
        help="Those with this in the error's type or text.",
        rich_help_panel=_PANEL,
    ),
]
Reason = Annotated[
    str,
    typer.Option(
        "--reason",
        help="failed, poison, undecodable …",
        callback=lambda t: t and _reason(t),
        rich_help_panel=_PANEL,
    ),
]
Trace = Annotated[
    str, typer.Option("--trace", help="Those of this trace id.", rich_help_panel=_PANEL)
]
OlderThan = Annotated[
    timedelta | None,
    typer.Option(
        "--older-than",
        parser=parse_age,
        metavar="AGE",
        help="Dead for longer: 90s, 2h, 3d.",
        rich_help_panel=_PANEL,
    ),
]
NewerThan = Annotated[
    timedelta | None,
    typer.Option(
        "--newer-than",
        parser=parse_age,
        metavar="AGE",
        help="Dead for less long.",
        rich_help_panel=_PANEL,
    ),
]
Everything = Annotated[
    bool, typer.Option("--all", help="All that there are.", rich_help_panel=_PANEL)
]


def chosen(
    *,
    steps: Sequence[str] | None,
    topic: str,
    error: str,
    reason: str,
    trace: str,
    older_than: timedelta | None,
    newer_than: timedelta | None,
) -> LetterFilter:
    """The filter that the options describe; ages count from now."""
    now = datetime.now(UTC)
    return LetterFilter(
        steps=frozenset(steps or ()),
        topic=topic,
        error=error,
        reason=reason,
        trace=trace,
        died_before=now - older_than if older_than is not None else None,
        died_after=now - newer_than if newer_than is not None else None,
    )


def require_choice(ids: Sequence[str] | None, wanted: LetterFilter, everything: bool) -> None:
    """Returns if it was said which letters are meant.

    Raises:
        BadParameter: nothing was chosen, or ``--all`` and something else.
    """
    some = bool(ids) or wanted != ALL
    if not some and not everything:
        raise typer.BadParameter("Name ids, or options that choose letters, or --all.")
    if some and everything:
        raise typer.BadParameter("--all is for all of them: leave it out, or what else is chosen.")


def with_ids(letters: DeadLetters, wanted: LetterFilter, ids: Sequence[str] | None) -> LetterFilter:
    """The filter for these ids too, of which each must be there.

    Raises:
        DeadLetterError: one of them is not there, or means several letters.
    """
    from dataclasses import replace

    return replace(wanted, ids=letters.resolve(ids)) if ids else wanted
