"""Noticing a host that takes no messages while it has work. It is only told of, not ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Pulse:
    """Asks a host that has been silent for ``seconds``, and tells if no answer comes.

    It costs a timer while calls are under way, and nothing when the host is idle or talks.
    ``ask`` sends a ping; ``tell`` gets the seconds of silence, once for each silence.
    """

    def __init__(
        self,
        seconds: float,
        *,
        has_work: Callable[[], bool],
        ask: Callable[[], None],
        tell: Callable[[float], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._has_work = has_work
        self._ask = ask
        self._tell = tell
        self._timer: asyncio.TimerHandle | None = None
        self._heard = 0.0
        self._is_asked = self._is_told = False

    def watch(self) -> None:
        """The host got work."""
        if self._timer is None:
            self.hear()
            self._wait(self._seconds)

    def hear(self) -> None:
        """The host said something."""
        self._heard = self._loop.time()
        self._is_asked = self._is_told = False

    def stop(self) -> None:
        """The host is gone."""
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self, seconds: float) -> None:
        self._timer = self._loop.call_later(seconds, self._check)

    def _check(self) -> None:
        self._timer = None
        if not self._has_work():
            return
        silence = self._loop.time() - self._heard
        if silence < self._seconds:
            self._wait(self._seconds - silence)
            return
        if not self._is_asked:
            self._is_asked = True
            self._ask()
        elif not self._is_told:
            self._is_told = True
            self._tell(silence)
        self._wait(self._seconds)
