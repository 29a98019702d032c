"""A dead letter: an event whose run failed for the last time, or a message that is no event."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from motia_celery.model.event import parsed
from motia_celery.model.run import RunError
from motia_celery.model.topic import matches

Reason = Literal[
    "failed",  # the handler raised at the last attempt
    "poison",  # the worker died at each delivery
    "misfit",  # the data does not fit the Step's `input`, which rejects it
    "time limit",  # Celery's hard time limit ended the process
    "undecodable",
    "unknown task",
    "oversized",
    "expired",  # a time to live that somebody put on the queue or the message
    "overflow",  # a length that somebody put on the queue
    "rejected",  # the worker rejected it, and no more is known
    "unknown",  # it was published here by others
]
REASONS: tuple[str, ...] = get_args(Reason)

#: Messages of these were no events, so their bodies can not be replayed as they are.
NO_EVENT: frozenset[Reason] = frozenset({"undecodable", "unknown task"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One dead letter.

    ``id`` is its run's id, for a message that never was a run one derived from its content; it is
    the same whenever the letter is read. ``body`` is the event's data as JSON, or what the message
    was. ``attempts`` is 0 where no handler ever saw it. ``headers`` are those of the message.
    """

    id: str
    reason: Reason
    step: str
    queue: str
    topic: str
    error: RunError
    attempts: int
    died_at: datetime | None
    event_id: str
    trace_id: str
    body: bytes
    content_type: str = ""
    correlation_id: str = ""
    priority: int | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_json(self) -> bool:
        """Whether the body can be read as JSON."""
        return is_json(self.body)

    @property
    def data(self) -> Any:
        """The event's data; None where the body is not JSON."""
        return json.loads(self.body) if self.is_json else None

    def as_dict(self) -> dict[str, Any]:
        """The letter as JSON-ready fields; a body that is not JSON is in ``body_base64``."""
        body = (
            {"data": self.data}
            if self.is_json
            else {"body_base64": base64.b64encode(self.body).decode()}
        )
        return {
            "id": self.id,
            "reason": self.reason,
            "step": self.step,
            "queue": self.queue,
            "topic": self.topic,
            "error": {
                "type": self.error.type,
                "message": self.error.message,
                "where": self.error.where,
                "traceback": self.error.traceback,
            },
            "attempts": self.attempts,
            "died_at": self.died_at.isoformat() if self.died_at else None,
            "event_id": self.event_id,
            "trace_id": self.trace_id,
            "content_type": self.content_type,
            "size_bytes": len(self.body),
            **body,
            "headers": {
                name: _plain(value)
                for name, value in self.headers.items()
                if not name.startswith("motia-error-")
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFilter:
    """Which dead letters are meant; one with no field set means all of them.

    ``topic`` may be a pattern, ``error`` is a part of the type or message in any case, ``trace``
    the beginning of a trace id. A letter whose time of death is not known is in no range of times.
    """

    ids: frozenset[str] = frozenset()
    steps: frozenset[str] = frozenset()
    topic: str = ""
    error: str = ""
    reason: str = ""
    trace: str = ""
    died_after: datetime | None = None
    died_before: datetime | None = None

    def matches(self, letter: DeadLetter) -> bool:
        """Whether the letter is meant."""
        return (
            (not self.ids or letter.id in self.ids)
            and (not self.steps or letter.step in self.steps)
            and (not self.topic or matches(self.topic, letter.topic))
            and self.error.lower() in str(letter.error).lower()
            and self.reason in ("", letter.reason)
            and letter.trace_id.startswith(self.trace)
            and self._in_time(letter.died_at)
        )

    def _in_time(self, died_at: datetime | None) -> bool:
        if died_at is None:
            return self.died_after is None and self.died_before is None
        return (self.died_after is None or died_at >= self.died_after) and (
            self.died_before is None or died_at <= self.died_before
        )


ALL = LetterFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Some of the dead letters that match, how many match, and how many there are."""

    letters: tuple[DeadLetter, ...]
    matching: int
    total: int


@dataclass(frozen=True, slots=True)
class NotReplayed:
    """A dead letter that stays, and why."""

    id: str
    step: str
    why: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many dead letters were sent to their Steps again, and those that were not."""

    count: int
    stay: tuple[NotReplayed, ...] = ()


def _plain(value: Any) -> Any:
    """A header's value as JSON has it; AMQP has times and bytes too."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def is_json(body: bytes) -> bool:
    """Whether a worker would take the body for an event's data."""
    try:
        parsed(body)
    except ValueError:
        return False
    return True
