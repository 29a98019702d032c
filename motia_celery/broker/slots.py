"""The slots of a pool: as many runs at once as there are, the most urgent first."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

#: How urgent something is: larger ones first, compared in this order.
Urgency = tuple[int, ...]


class Slots:
    """Slots on one event loop. Of those that wait, the most urgent gets the next, then the first.

    The less urgent wait for as long as more urgent ones come in.
    """

    def __init__(self, free: int) -> None:
        self._free = free
        self._waiting: list[tuple[Urgency, int, asyncio.Future[None]]] = []
        self._arrival = count()

    @asynccontextmanager
    async def taken(self, urgency: Urgency = ()) -> AsyncIterator[None]:
        """Waits for a slot, and has it inside."""
        await self.take(urgency)
        try:
            yield
        finally:
            self.release()

    def take_free(self) -> bool:
        """Takes a slot if one is free now, and tells whether."""
        if self._free <= 0:
            return False
        self._free -= 1
        return True

    async def take(self, urgency: Urgency) -> None:
        """Waits for a slot; to be given back by :meth:`release`."""
        if self.take_free():
            return
        turn = asyncio.get_running_loop().create_future()
        # A heap gives its smallest.
        place = (tuple(-part for part in urgency), next(self._arrival), turn)
        heapq.heappush(self._waiting, place)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it came at the same moment
                self.release()
            raise

    def release(self) -> None:
        """Gives a slot back, or adds one."""
        while self._waiting:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
