"""Blocking questions to broker and workers: off the event loop, bounded, and asked once for all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from motia_celery.errors import BrokerUnavailableError

Answer = TypeVar("Answer")

#: Answers younger than this are given again.
FRESH_SECONDS = 1.0
#: Threads that wait for brokers; more questions than that queue up.
THREADS = 8
#: How long whoever asks waits at most.
LONGEST_SECONDS = 15.0


class Samples:
    """Asks each question once at a time, however many ask it, and keeps its answer a moment."""

    def __init__(self, fresh_seconds: float = FRESH_SECONDS) -> None:
        self._fresh = fresh_seconds
        self._threads = ThreadPoolExecutor(THREADS, "workbench")
        self._asked: dict[Hashable, tuple[float, asyncio.Future[Any]]] = {}

    async def ask(self, name: Hashable, question: Callable[[], Answer]) -> Answer:
        """The answer of ``question``, which runs in a thread, or one that is fresh enough.

        Raises:
            BrokerUnavailableError: there is none within :data:`LONGEST_SECONDS`.
        """
        asked_at, answer = self._asked.get(name, (0.0, None))
        if answer is None or (answer.done() and time.monotonic() - asked_at >= self._fresh):
            loop = asyncio.get_running_loop()
            answer = loop.run_in_executor(self._threads, question)
            self._asked[name] = (time.monotonic(), answer)
            answer.add_done_callback(lambda done: self._answered(name, done))
        return await _bounded(answer)

    async def run(self, action: Callable[[], Answer]) -> Answer:
        """What ``action`` gives; it runs in a thread, each time anew."""
        loop = asyncio.get_running_loop()
        return await _bounded(loop.run_in_executor(self._threads, action))

    def forget(self, *names: str) -> None:
        """Lets the next :meth:`ask` of these ask anew; of a tuple, the first part names it."""
        for name in list(self._asked):
            if (name[0] if isinstance(name, tuple) else name) in names:
                del self._asked[name]

    def close(self) -> None:
        """Begins nothing more; what has begun is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _answered(self, name: Hashable, answer: asyncio.Future[Any]) -> None:
        if not answer.cancelled():
            answer.exception()  # else one that nobody waits for any more is logged
        if name in self._asked and self._asked[name][1] is answer:
            self._asked[name] = (time.monotonic(), answer)


async def _bounded(answer: asyncio.Future[Answer]) -> Answer:
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            # Shielded: one client that goes must not take the answer from the others.
            return await asyncio.shield(answer)
    except TimeoutError as error:
        raise BrokerUnavailableError(
            f"there was no answer within {LONGEST_SECONDS:g} s.",
            "workbench",
            "It may still be done. See whether the broker and Redis are well, and try again.",
        ) from error
