"""When each schedule fired last, and what it missed, as beat has noted it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from redbeat.decoder import RedBeatJSONDecoder

from motia_celery.broker.misses import Miss, ask_misses, read_misses
from motia_celery.model.cron import Cron
from motia_celery.stores.heartbeat import Heartbeat
from motia_celery.stores.redis import connect_sync, reaching

if TYPE_CHECKING:
    from motia_celery.plan.schedule import ScheduleEntry
    from motia_celery.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticks:
    """What beat has noted of a schedule.

    ``done_until``: every slot up to then was sent, missed, or of no concern; None where no beat
    has seen the schedule. ``last`` is the last slot that was sent, ``misses`` has the latest first.
    """

    done_until: datetime | None = None
    last: datetime | None = None
    misses: tuple[Miss, ...] = ()


@dataclass(frozen=True, slots=True)
class Noted:
    """The ticks by the schedules' names, and whether a beat is at work now."""

    ticks: Mapping[str, Ticks]
    beats: bool


class TickReader:
    """Reads what beat has noted. It blocks."""

    def __init__(self, settings: Settings) -> None:
        self._client = connect_sync(settings)
        self._prefix = f"{settings.prefix}:redbeat:"
        self._heartbeat = Heartbeat(self._client, settings.prefix)

    def read(self, entries: Iterable[ScheduleEntry]) -> Noted:
        """What is noted of these entries.

        Raises:
            StoreUnavailableError: Redis does not answer.
        """
        wanted = tuple(entries)
        with reaching(self._client), self._client.pipeline(transaction=False) as pipe:
            for entry in wanted:
                pipe.hget(f"{self._prefix}{entry.name}", "meta")
                ask_misses(pipe, self._prefix, entry.name)
            found = iter(pipe.execute())
        ticks = {entry.name: _ticks(entry, next(found), next(found)) for entry in wanted}
        return Noted(ticks, self._heartbeat.is_alive())


def _ticks(entry: ScheduleEntry, meta: bytes | None, misses: list[bytes]) -> Ticks:
    noted = _noted(meta)
    is_slot = noted is not None and _is_slot(entry, noted)
    return Ticks(done_until=noted, last=noted if is_slot else None, misses=read_misses(misses))


def _noted(meta: bytes | None) -> datetime | None:
    with suppress(ValueError, TypeError, KeyError):
        if meta is not None:
            noted: datetime = json.loads(meta, cls=RedBeatJSONDecoder)["last_run_at"]
            return noted.astimezone(UTC)
    return None


def _is_slot(entry: ScheduleEntry, moment: datetime) -> bool:
    """A new entry notes when it was made, which is no slot."""
    with suppress(ValueError):
        cron = Cron(entry.expression, entry.timezone)
        return cron.next_after(moment - timedelta(seconds=1)) == moment
    return False
