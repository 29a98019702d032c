"""Taking turns: reading, deciding and writing a value so that no other change is lost.

The value is decided here and written only if it is still what was read; else it is decided
again. Callers of one process wait for each other first, so that only processes ever race.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Hashable
from weakref import WeakValueDictionary

_LONGEST_PAUSE_SECONDS = 0.05


class Turns:
    """A lock for each value that somebody in this process changes at the moment."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    def of(self, *name: Hashable) -> asyncio.Lock:
        """The lock of the value with this name; hold it with ``async with``."""
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock


async def give_way(losses: int) -> None:
    """A pause after a lost race, so that two processes do not lose to each other for ever."""
    if losses > 1:
        longest = min(_LONGEST_PAUSE_SECONDS, 0.001 * 2 ** min(losses, 10))
        await asyncio.sleep(random.uniform(0, longest))  # noqa: S311 - no secret
