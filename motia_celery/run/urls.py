"""The URLs of the servers, read before a process starts to work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from motia_celery.broker.connection import open_connection
from motia_celery.stores.redis import connect_sync

if TYPE_CHECKING:
    from motia_celery.settings import Settings


def require_urls(settings: Settings) -> None:
    """Returns if both URLs can be used; nothing is connected to.

    Raises:
        SettingsError: one can not.
    """
    connect_sync(settings).close()
    open_connection(settings)
