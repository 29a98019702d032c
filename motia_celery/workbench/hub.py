"""The live feed's middle: what is told, to whom, and what one who comes back has missed."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Iterable

from motia_celery.workbench.shapes.feed import AnyMessage, ResetMessage, Want

#: So many messages may wait for one listener; past them it is told to begin anew.
LIMIT = 2000
#: So many messages are kept for those who come back.
KEPT = 2000
_WANTED: dict[str, Want] = {
    "run": "runs",
    "logs": "logs",
    "queues": "queues",
    "dead_letters": "queues",
    "state": "state",
    "stream": "streams",
}

Told = tuple[int, AnyMessage]


class Listener:
    """One client of the feed."""

    def __init__(self, wants: frozenset[Want]) -> None:
        self.wants = wants
        self.is_over = False
        self._waiting: deque[Told] = deque()
        self._wake = asyncio.Event()

    def tell(self, number: int, message: AnyMessage) -> None:
        """Keeps the message until it is taken, if it is wanted."""
        if not _is_wanted(message, self.wants):
            return
        if len(self._waiting) >= LIMIT:
            self._waiting.clear()
            message = reset()
        self._waiting.append((number, message))
        self._wake.set()

    def stop(self) -> None:
        """The feed ends."""
        self.is_over = True
        self._wake.set()

    async def next(self, seconds: float) -> Told | None:
        """The next message; None after so many seconds without one, or at the end."""
        try:
            async with asyncio.timeout(seconds):
                while not self._waiting and not self.is_over:
                    self._wake.clear()
                    await self._wake.wait()
        except TimeoutError:
            return None
        return self._waiting.popleft() if self._waiting else None


class Hub:
    """Tells every listener of this process. Its methods belong to one event loop."""

    def __init__(self) -> None:
        #: Tells this process's messages from those before a restart.
        self.name = secrets.token_hex(4)
        self._number = 0
        self._kept: deque[Told] = deque(maxlen=KEPT)
        self._listeners: set[Listener] = set()
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def wants(self) -> frozenset[Want]:
        """What somebody listens to."""
        return frozenset(want for listener in self._listeners for want in listener.wants)

    def join(self, wants: Iterable[Want], since: str | None = None) -> Listener:
        """A new listener; with ``since``, an event id, it is told what came after that.

        Where that is not known any more, it is told to begin anew.
        """
        listener = Listener(frozenset(wants))
        known = self._known(since)
        if known is None:
            listener.tell(self._number, reset())
        else:
            for number, message in self._kept:
                if number > known:
                    listener.tell(number, message)
        self._listeners.add(listener)
        self._wake()
        return listener

    def leave(self, listener: Listener) -> None:
        """Tells the listener nothing more."""
        self._listeners.discard(listener)
        self._wake()

    async def until_wanted(self, wants: frozenset[Want]) -> None:
        """Returns once somebody listens to one of these."""
        while not self.wants & wants:
            await self._changed()

    async def until_unwanted(self, wants: frozenset[Want], seconds: float) -> None:
        """Returns once nobody has listened to any of these for so long."""
        while True:
            while self.wants & wants:
                await self._changed()
            try:
                async with asyncio.timeout(seconds):
                    await self.until_wanted(wants)
            except TimeoutError:
                return

    def tell(self, message: AnyMessage) -> None:
        """Tells everyone who wants it."""
        self._number += 1
        self._kept.append((self._number, message))
        for listener in self._listeners:
            listener.tell(self._number, message)

    def stop(self) -> None:
        """Ends the feed of everyone."""
        for listener in self._listeners:
            listener.stop()

    def event_id(self, number: int) -> str:
        """The id under which a message is sent."""
        return f"{self.name}-{number}"

    def forget(self) -> None:
        """From here on something is not told: who comes back must begin anew."""
        self._number += 1
        self._kept.clear()

    async def _changed(self) -> None:
        """Returns when somebody has come or gone."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        await waiting

    def _wake(self) -> None:
        woken, self._waiting = self._waiting, []
        for waiting in woken:
            if not waiting.done():
                waiting.set_result(None)

    def _known(self, since: str | None) -> int | None:
        """The number of the last message that the client has, if all later ones are kept."""
        name, _, digits = (since or "").partition("-")
        if name != self.name or not digits.isascii() or not digits.isdigit():
            return None
        number = int(digits)
        oldest = self._kept[0][0] if self._kept else self._number + 1
        return number if oldest - 1 <= number <= self._number else None


def reset() -> ResetMessage:
    """The message that has a page fetch everything anew."""
    return ResetMessage(at=time.time() * 1000)


def _is_wanted(message: AnyMessage, wants: frozenset[Want]) -> bool:
    return message.type == "reset" or _WANTED[message.type] in wants
