"""When each schedule fired last, as beat has noted it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from redbeat.decoder import RedBeatJSONDecoder

from motia_celery.model.cron import Cron
from motia_celery.stores.redis import connect_sync, reaching

if TYPE_CHECKING:
    from motia_celery.plan.schedule import ScheduleEntry
    from motia_celery.settings import Settings


class TickReader:
    """Reads what beat has noted. It blocks."""

    def __init__(self, settings: Settings) -> None:
        self._client = connect_sync(settings)
        self._prefix = f"{settings.prefix}:redbeat:"

    def last(self, entries: Iterable[ScheduleEntry]) -> dict[str, datetime]:
        """The last slot of each entry that was sent, by its name.

        Raises:
            StoreUnavailableError: Redis does not answer.
        """
        wanted = tuple(entries)
        with reaching(self._client), self._client.pipeline(transaction=False) as pipe:
            for entry in wanted:
                pipe.hget(f"{self._prefix}{entry.name}", "meta")
            found = pipe.execute()
        slots = {entry.name: _slot(entry, meta) for entry, meta in zip(wanted, found, strict=True)}
        return {name: slot for name, slot in slots.items() if slot is not None}


def _slot(entry: ScheduleEntry, meta: bytes | None) -> datetime | None:
    """The slot, or None: a new entry notes when it was made, which is no slot."""
    if meta is None:
        return None
    with suppress(ValueError, TypeError, KeyError):
        noted = json.loads(meta, cls=RedBeatJSONDecoder)["last_run_at"].astimezone(UTC)
        cron = Cron(entry.expression, entry.timezone)
        return noted if cron.next_after(noted - timedelta(seconds=1)) == noted else None
    return None
