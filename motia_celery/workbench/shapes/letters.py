"""Dead letters, and what is done with them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from motia_celery.workbench.shapes.runs import Edited, ErrorView
from motia_celery.workbench.shapes.shape import Json, Moment, Shape

LetterReason = Literal[
    "failed",
    "poison",
    "misfit",
    "time limit",
    "undecodable",
    "unknown task",
    "oversized",
    "expired",
    "overflow",
    "rejected",
    "unknown",
]


class LetterView(Shape):
    """A dead letter, as a list shows it; ``preview`` is the beginning of its body."""

    id: str
    reason: LetterReason
    step: str
    queue: str
    topic: str
    error: ErrorView
    attempts: int
    died_at: Moment | None = None
    event_id: str
    trace_id: str
    size_bytes: int
    preview: str


class LetterDetail(LetterView):
    """A dead letter with its body: as ``data``, or in ``body_base64`` where it is no JSON."""

    is_json: bool
    data: Json = None
    body_base64: str | None = None
    truncated: bool = False
    content_type: str = ""
    headers: dict[str, Any] = Field(default_factory=dict)


class Letters(Shape):
    """Some of the dead letters that match, how many match, and how many there are."""

    letters: tuple[LetterView, ...]
    matching: int
    total: int


class LetterChoice(Shape):
    """Which dead letters are meant: all that fit every field; none set means all."""

    ids: tuple[str, ...] = Field((), max_length=1000)
    steps: tuple[str, ...] = Field((), max_length=1000)
    topic: str = ""
    error: str = ""
    reason: LetterReason | Literal[""] = ""
    trace: str = ""
    died_after: Moment | None = None
    died_before: Moment | None = None


class ReplayRequest(Shape):
    """Dead letters to send to their Steps again; ``edited`` is for one letter alone."""

    choice: LetterChoice
    all: bool = Field(False, description="Must be set where the choice is empty.")
    edited: Edited | None = None
    dry_run: bool = False


class DropRequest(Shape):
    """Dead letters to delete for good."""

    choice: LetterChoice
    all: bool = Field(False, description="Must be set where the choice is empty.")


class StaysView(Shape):
    """A dead letter that stays, and why."""

    id: str
    step: str
    why: str
    fix: str = ""


class ReplayResult(Shape):
    """How many were replayed (or would be), and those that stay."""

    replayed: int
    stay: tuple[StaysView, ...] = ()
    dry_run: bool = False


class DropResult(Shape):
    """How many were deleted."""

    dropped: int


class LettersQuery(LetterChoice):
    """Which dead letters are listed, and how many."""

    limit: int = Field(100, ge=1, le=1000)
