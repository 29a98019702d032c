"""Durations and moments as a person reads them."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from motia_celery.cli.dlq.selection import parse_age


def duration(ms: float | None) -> str:
    """``0.4 ms``, ``12 ms``, ``1.24 s``, ``2 m 05 s``, ``3 h 12 m``; nothing for None."""
    if ms is None:
        return ""
    if ms < 1_000:
        return f"{ms:.1f} ms" if 0 < ms < 9.95 else f"{ms:.0f} ms"
    seconds = ms / 1_000
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} m"


def clock(ms: float) -> str:
    """The local time of day: ``12:00:01.123``."""
    return f"{datetime.fromtimestamp(ms / 1000):%H:%M:%S}.{int(ms % 1000):03d}"


def moment(ms: float) -> str:
    """The local date and time: ``2026-11-23 12:00:01.123``."""
    return f"{datetime.fromtimestamp(ms / 1000):%Y-%m-%d} {clock(ms)}"


def iso(ms: float) -> str:
    """The moment as in a log line: ``2026-11-23T12:00:01.123Z``."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M:%S}.{int(ms % 1000):03d}Z"


def since(text: str) -> float:
    """The epoch milliseconds of an age (``90s``, ``2h``), or of an ISO moment.

    Raises:
        BadParameter: it is neither.
    """
    try:
        return datetime.fromisoformat(text).timestamp() * 1000
    except ValueError:
        pass
    try:
        return (datetime.now(UTC) - parse_age(text)).timestamp() * 1000
    except (typer.BadParameter, OverflowError):
        raise typer.BadParameter(
            f"{text!r} is no age and no moment. Write 90s, 2h, 3d or 2030-01-31T09:00."
        ) from None
