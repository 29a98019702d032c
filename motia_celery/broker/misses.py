"""Ticks that were missed: no beat ran when they came, and only the latest of them was sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    pass

#: Misses that are kept of a schedule, and for how long.
KEPT: Final = 20
_KEPT_SECONDS: Final = 30 * 86400


@dataclass(frozen=True, slots=True)
class Miss:
    """Slots that were not sent: from ``first`` on, up to the one before ``sent``."""

    first: datetime
    sent: datetime


def note_miss(client: Any, redbeat_prefix: str, name: str, first: datetime, sent: datetime) -> None:
    """Remembers that a schedule's slots from ``first`` to before ``sent`` were missed."""
    key = _key(redbeat_prefix, name)
    with client.pipeline(transaction=True) as pipe:
        miss = orjson.dumps([first.timestamp(), sent.timestamp()])
        # An answer may have been lost: then this comes once more.
        pipe.lrem(key, 0, miss)
        pipe.lpush(key, miss)
        pipe.ltrim(key, 0, KEPT - 1)
        pipe.expire(key, _KEPT_SECONDS)
        pipe.execute()


def read_misses(found: list[bytes]) -> tuple[Miss, ...]:
    """The misses of a schedule's list, the latest first."""
    pairs = (orjson.loads(text) for text in found)
    return tuple(Miss(_moment(first), _moment(sent)) for first, sent in pairs)


def ask_misses(pipe: Any, redbeat_prefix: str, name: str) -> None:
    """Adds to a pipeline what :func:`read_misses` reads."""
    pipe.lrange(_key(redbeat_prefix, name), 0, KEPT - 1)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _key(redbeat_prefix: str, name: str) -> str:
    # No entry has such a name: entries of the schedule begin with their prefix alone.
    return f"{redbeat_prefix}:missed:{name}"
