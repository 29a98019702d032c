"""How the workers of a fifo Step share its partitions on RabbitMQ.

The broker keeps to the first consumer in line, so a worker that was there first would run every
group alone. The workers meet in Redis, and each gives way where another's turn is. Order does not
depend on it: the broker alone says whose a partition is.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from functools import partial
from typing import Protocol

from motia_celery.broker.feed import soon
from motia_celery.errors import FrameworkError
from motia_celery.stores.partitions import Takers

MEETING_SECONDS = 5.0
_PATIENCE_SECONDS = 3 * MEETING_SECONDS


class Share(Protocol):
    """Told at every meeting, on the consumer's own thread."""

    def __call__(self, rank: int, workers: int, *, anew: bool) -> None:
        """Partition n is the one's whose rank is n modulo workers; ``anew``: that has changed."""


class Sharing:
    """One worker's part in the meetings about one queue, on a thread of its own."""

    def __init__(self, takers: Takers, taker: str) -> None:
        self._takers = takers
        self._taker = taker
        self._over = threading.Event()

    def start(self, share: Share) -> None:
        """Begins to meet."""
        threading.Thread(target=self._run, args=(share,), name="sharing", daemon=True).start()

    def stop(self) -> None:
        """Leaves the meetings."""
        self._over.set()

    def _run(self, share: Share) -> None:
        known: list[str] = []
        while not self._over.is_set():
            with suppress(FrameworkError):  # Redis is away: each keeps what it has
                found = self._takers.meet(time.time(), _PATIENCE_SECONDS)
                rank = found.index(self._taker)
                soon(partial(share, rank, len(found), anew=found != known))
                known = found
            self._over.wait(MEETING_SECONDS)
        with suppress(FrameworkError):
            self._takers.leave()
