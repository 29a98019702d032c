"""How an event is emitted: when, how urgently, how often at most, and by which way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from motia_celery.model.step import LONGEST_DELAY_SECONDS

#: The longest idempotency key, in characters.
LONGEST_KEY = 1024
HIGHEST_PRIORITY = 9
#: What has no priority counts as this one; RabbitMQ, too, calls all up to it normal.
DEFAULT_PRIORITY = 4

#: How a handler may write a moment; a number is epoch milliseconds.
Moment = datetime | str | float


#: The fields of an emit that are no options.
_PLAIN = frozenset({"topic", "data", "messageGroupId"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EmitOptions:
    """What an emit asks for.

    ``key`` is the idempotency key: of the emits of one topic that carry it, one is sent.
    ``outbox`` stores the event first and sends it later.
    """

    delay_seconds: float = 0
    priority: int | None = None
    key: str | None = None
    outbox: bool = False

    @classmethod
    def read(cls, given: Mapping[str, Any], now: float) -> EmitOptions:
        """The options as a handler writes them; ``now`` is an epoch time.

        Raises:
            ValueError: one of them can not be used.
        """
        if given.keys() <= _PLAIN:
            return cls()
        return cls(
            delay_seconds=_wait(given.get("delay"), given.get("at"), now),
            priority=_priority(given.get("priority")),
            key=_key(given.get("id")),
            outbox=_switch(given.get("outbox")),
        )


def _wait(delay: Any, at: Any, now: float) -> float:
    if delay is not None and at is not None:
        raise ValueError("delay and at are both given; give one of them")
    if at is not None:
        return _within_limit("at", max(0.0, moment(at) - now))
    if delay is None:
        return 0
    if not _is_number(delay) or delay < 0:
        raise ValueError(f"delay is {delay!r}; give seconds, as a number that is not negative")
    return _within_limit("delay", float(delay))


def _within_limit(name: str, seconds: float) -> float:
    if seconds > LONGEST_DELAY_SECONDS:
        days = f"{seconds / 86400:.4g} days"
        raise ValueError(f"{name} is {days} away; an event waits for 30 days at most")
    return seconds


def moment(at: Any) -> float:
    """The epoch seconds of a datetime, of ISO 8601 text, or of a number of milliseconds.

    Raises:
        ValueError: it is none of them, or has no time zone.
    """
    if _is_number(at):
        return float(at) / 1000
    if isinstance(at, str):
        at = _parsed(at)
    if not isinstance(at, datetime):
        raise ValueError(f"at is {at!r}; {_HOW}")
    if at.utcoffset() is None:
        raise ValueError(f"at is {at.isoformat()!r}, without a time zone; {_HOW}")
    return at.timestamp()


_HOW = (
    "give a datetime with a time zone, ISO text such as '2030-01-31T09:00:00Z', or epoch "
    "milliseconds"
)


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"at is {text[:100]!r}; {_HOW}") from None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _priority(value: Any) -> int | None:
    if value is None:
        return None
    if not _is_number(value) or value != int(value) or not 0 <= value <= HIGHEST_PRIORITY:
        raise ValueError(f"priority is {value!r}; give a whole number from 0 to {HIGHEST_PRIORITY}")
    return int(value)


def _key(value: Any) -> str | None:
    if value is None:
        return None
    # Ids of records are often numbers, and stand for their digits.
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not 1 <= len(text) <= LONGEST_KEY or not _is_unicode(text):
        raise ValueError(f"id is {value!r:.100}; give text of at most {LONGEST_KEY} characters")
    return text


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # a half of a surrogate pair
        return False
    return True


def _switch(value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    raise ValueError(f"outbox is {value!r}; give true or false")
