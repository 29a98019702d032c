"""Taking an app out of Redis for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from motia_celery.stores.redis import connect_sync, reaching

if TYPE_CHECKING:
    from motia_celery.settings import Settings

_BATCH = 500


def remove_keys(settings: Settings) -> int:
    """Deletes every key of the settings' prefix, and gives their number.

    Raises:
        StoreUnavailableError: Redis does not answer.
    """
    removed = 0
    with connect_sync(settings) as client, reaching(client):
        batch: list[bytes] = []
        for key in client.scan_iter(match=f"{settings.prefix}:*", count=_BATCH):
            batch.append(key)
            if len(batch) >= _BATCH:
                removed += int(client.unlink(*batch))
                batch = []
        if batch:
            removed += int(client.unlink(*batch))
    return removed
