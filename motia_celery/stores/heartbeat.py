"""The sign of life of the beat that leads; Redis forgets it unless it comes again."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from motia_celery.stores.redis import reaching

if TYPE_CHECKING:
    import redis

logger = logging.getLogger("motia_celery.beat")

#: A beat that has not ticked for so long does not tick. A standby takes over sooner.
SILENT_SECONDS = 60
_EVERY_SECONDS = 5.0


class Heartbeat:
    """The sign of life under one prefix."""

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._key = f"{prefix}:beat:alive"
        self._next = 0.0

    def beat(self) -> None:
        """Gives the sign, every few seconds however often it is called; never raises."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY_SECONDS
        try:
            self._client.set(self._key, int(time.time()), ex=SILENT_SECONDS)
        except (RedisError, OSError) as error:
            logger.warning("Beat gives no sign of life: %s", type(error).__name__)

    def is_alive(self) -> bool:
        """Whether a beat has ticked of late.

        Raises:
            StoreUnavailableError: Redis does not answer.
        """
        with reaching(self._client):
            return bool(self._client.exists(self._key))
