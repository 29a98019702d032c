"""Slots: the times at which a cron expression has fired, or should have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from motia_celery.model.cron import Cron

_SECOND: Final = timedelta(seconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def latest_slots(cron: Cron, until: datetime, count: int) -> tuple[datetime, ...]:
    """The last slots up to ``until`` (aware), the latest first."""
    return tuple(islice(_before(cron, until), count))


def count_slots(cron: Cron, first: datetime, before: datetime, most: int) -> int:
    """How many slots there are from ``first`` to before ``before``; counted up to ``most``."""
    found, moment = 0, first - _SECOND
    while found < most:
        following = cron.upcoming(moment, 1)
        if not following or following[0] >= before:
            break
        found, moment = found + 1, following[0]
    return found


def _before(cron: Cron, until: datetime) -> Iterator[datetime]:
    """Every slot up to ``until``, backwards: it looks back twice as far until there is one."""
    span = timedelta(minutes=2)
    while until > _EPOCH:
        start = max(_EPOCH, until - span)
        slot = cron.latest_between(start, until)
        if slot is not None:
            yield slot
            until = slot - _SECOND
        elif start == _EPOCH:
            return
        else:
            span *= 2
