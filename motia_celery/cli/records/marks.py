"""The mark and the colour of each status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

if TYPE_CHECKING:
    from motia_celery.model.record import Status

STYLES: Final[dict[str, str]] = {
    "running": "cyan",
    "retrying": "yellow",
    "completed": "green",
    "failed": "red",
    "cancelled": "magenta",
    "lost": "yellow",
}
MARKS: Final[dict[str, str]] = {
    "running": "▶",
    "retrying": "↻",
    "completed": "✓",
    "failed": "✗",
    "cancelled": "■",
    "lost": "?",
}


def status_text(status: Status | str) -> Text:
    """``✓ completed`` in its colour."""
    return Text(f"{MARKS[status]} {status}", STYLES[status])
