"""The clock of an app in memory: it stands still until a test moves it."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Epoch seconds that only :meth:`move_to` changes."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start.timestamp() if start else time.time()

    def time(self) -> float:
        """The epoch seconds."""
        return self._now

    @property
    def now(self) -> datetime:
        """The moment, in UTC."""
        return datetime.fromtimestamp(self._now, UTC)

    def move_to(self, moment: float) -> None:
        """Makes it so late; it never goes back."""
        self._now = max(self._now, moment)
