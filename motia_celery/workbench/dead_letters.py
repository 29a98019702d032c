"""Dead letters: look at them, send them to their Steps again, or delete them."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query

from motia_celery.broker.dead_letters import DeadLetters
from motia_celery.errors import NotFoundError, RequestError
from motia_celery.model.dead_letter import DeadLetter, LetterFilter, Listing, Replayed
from motia_celery.workbench.shapes.letters import (
    DropRequest,
    DropResult,
    LetterChoice,
    LetterDetail,
    Letters,
    LettersQuery,
    LetterView,
    ReplayRequest,
    ReplayResult,
    StaysView,
)
from motia_celery.workbench.shapes.runs import ErrorView
from motia_celery.workbench.sources import From, Sources

router = APIRouter(prefix="/dead-letters", tags=["dead letters"])

#: How long to wait for another reader; whoever asks waits a little longer.
_TURN_SECONDS = 10.0
#: The question under which lists of them are kept for a moment.
LISTED = "dead letters"
_PREVIEW = 200
#: A longer body is cut where it is shown.
_LIMIT_BYTES = 1024 * 1024


@router.get("")
async def getletters_of(sources: From, query: Annotated[LettersQuery, Query()]) -> Letters:
    """The oldest dead letters that match, and how many there are."""
    wanted, limit = letter_filter(query), query.limit
    found = await sources.samples.ask(
        (LISTED, wanted, limit), lambda: letters_of(sources).list(wanted, limit)
    )
    return _listing(found)


@router.get("/{identity}")
async def get_letter(sources: From, identity: str) -> list[LetterDetail]:
    """The letters of one run; it may have died more than once."""
    wanted = LetterFilter(ids=frozenset({identity}))
    found = await sources.samples.run(lambda: list(letters_of(sources).each(wanted)))
    if not found:
        raise NotFoundError(f"there is no dead letter {identity!r}.", "", "It may be replayed.")
    return [_detail(letter) for letter in found]


@router.post("/replay")
async def replayletters_of(sources: From, request: ReplayRequest) -> ReplayResult:
    """Sends the events of the letters to the one Step where each died."""
    wanted = _chosen(request.choice, everything=request.all)
    body = orjson.dumps(request.edited.data) if request.edited else None
    try:
        return await sources.samples.run(
            lambda: _replay(letters_of(sources), wanted, body, request)
        )
    finally:
        sources.samples.forget(LISTED, "depths")


@router.post("/drop")
async def dropletters_of(sources: From, request: DropRequest) -> DropResult:
    """Deletes the letters for good."""
    wanted = _chosen(request.choice, everything=request.all)
    letters = letters_of(sources)
    try:
        dropped = await sources.samples.run(lambda: letters.drop(letters.ids(wanted)))
    finally:
        sources.samples.forget(LISTED, "depths")
    return DropResult(dropped=dropped)


def letter_filter(choice: LetterChoice) -> LetterFilter:
    """The filter that a choice describes."""
    return LetterFilter(
        ids=frozenset(choice.ids),
        steps=frozenset(choice.steps),
        topic=choice.topic,
        error=choice.error,
        reason=choice.reason,
        trace=choice.trace,
        died_after=_time(choice.died_after),
        died_before=_time(choice.died_before),
    )


def _replay(
    letters: DeadLetters, wanted: LetterFilter, body: bytes | None, request: ReplayRequest
) -> ReplayResult:
    if body is not None and (matching := letters.list(wanted, 1).matching) != 1:
        raise RequestError(
            f"{matching} dead letters match, and an edited payload is for one.",
            "replay",
            "Choose one by its id.",
        )
    done: Replayed = letters.replay(wanted, data=body, dry_run=request.dry_run)
    stay = (StaysView(id=one.id, step=one.step, why=one.why, fix=one.fix) for one in done.stay)
    return ReplayResult(replayed=done.count, stay=tuple(stay), dry_run=request.dry_run)


def _chosen(choice: LetterChoice, *, everything: bool) -> LetterFilter:
    """The filter of a choice that was meant.

    Raises:
        RequestError: nothing was chosen.
    """
    wanted = letter_filter(choice)
    if wanted == LetterFilter() and not everything:
        raise RequestError("nothing was chosen.", "choice", "Choose some, or set `all`.")
    return wanted


def letters_of(sources: Sources) -> DeadLetters:
    """The dead letters of the app."""
    queues = sources.plan.topology.queues
    return DeadLetters(sources.settings, queues, turn_seconds=_TURN_SECONDS)


def _time(moment: float | None) -> datetime | None:
    return None if moment is None else datetime.fromtimestamp(moment / 1000, UTC)


def _listing(found: Listing) -> Letters:
    letters = tuple(LetterView(**_view(letter)) for letter in found.letters)
    return Letters(letters=letters, matching=found.matching, total=found.total)


def _view(letter: DeadLetter) -> dict[str, Any]:
    error = letter.error
    return {
        "id": letter.id,
        "reason": letter.reason,
        "step": letter.step,
        "queue": letter.queue,
        "topic": letter.topic,
        "error": ErrorView(
            type=error.type, message=error.message, where=error.where, traceback=error.traceback
        ),
        "attempts": letter.attempts,
        "died_at": letter.died_at and letter.died_at.timestamp() * 1000,
        "event_id": letter.event_id,
        "trace_id": letter.trace_id,
        "size_bytes": len(letter.body),
        "preview": letter.body[: 4 * _PREVIEW].decode("utf-8", "replace")[:_PREVIEW],
    }


def _detail(letter: DeadLetter) -> LetterDetail:
    is_json, truncated = letter.is_json, len(letter.body) > _LIMIT_BYTES
    shown = letter.body[:_LIMIT_BYTES]
    return LetterDetail(
        **_view(letter),
        is_json=is_json,
        data=json.loads(letter.body) if is_json and not truncated else None,
        body_base64=None if is_json and not truncated else base64.b64encode(shown).decode(),
        truncated=truncated,
        content_type=letter.content_type,
        headers=letter.as_dict()["headers"],
    )
