"""Calls that a handler makes on its context, awaited or not, from async and sync code.

In an ``async def`` handler a call starts at once and may be awaited; one that is not awaited is
finished before the run ends. In a plain ``def`` handler, which runs in a thread, the call waits
and gives the value itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from types import TracebackType
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")


class Call(Coroutine[Any, Any, T], Generic[T]):
    """A call under way: awaitable, and accepted by ``asyncio.create_task`` and ``gather``."""

    __slots__ = ("_iterator", "awaited", "task")

    def __init__(self, task: asyncio.Future[T]) -> None:
        self.task = task
        self.awaited = False
        self._iterator: Generator[Any, Any, T] | None = None

    def __await__(self) -> Generator[Any, Any, T]:
        """Waits for the call and gives its value."""
        self.awaited = True
        return self.task.__await__()

    def send(self, value: Any) -> Any:
        """Steps the call, as a coroutine."""
        return self._steps().send(value)

    def throw(
        self,
        typ: Any,
        val: BaseException | object | None = None,
        tb: TracebackType | None = None,
    ) -> Any:
        """Raises inside the call, as a coroutine."""
        if val is None and tb is None:
            return self._steps().throw(typ)
        return self._steps().throw(typ, val, tb)

    def close(self) -> None:
        """Ends the waiting, not the call."""
        if self._iterator is not None:
            self._iterator.close()

    def _steps(self) -> Generator[Any, Any, T]:
        if self._iterator is None:
            self._iterator = self.__await__()
        return self._iterator


class Calls:
    """The calls of one run."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._started: list[Call[Any]] = []

    def start(self, coroutine: Coroutine[Any, Any, T]) -> Call[T]:
        """Starts the call: a :class:`Call` on the run's loop, the value itself in a thread.

        The type is that of the first; ``SyncContext`` is for the second.
        """
        return cast(Call[T], self._start(coroutine))

    def _start(self, coroutine: Coroutine[Any, Any, T]) -> Any:
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
        if running is not self._loop:
            # The handler runs a loop of its own in its thread.
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
            return asyncio.wrap_future(future, loop=running)
        return self.follow(self._loop.create_task(coroutine))

    def follow(self, task: asyncio.Future[T]) -> Call[T]:
        """The call for what is under way on the run's loop already."""
        call = Call(task)
        self._started.append(call)
        return call

    def are_here(self) -> bool:
        """Whether the caller is on the run's loop."""
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    def __bool__(self) -> bool:
        """Whether there were any."""
        return bool(self._started)

    async def finish(self) -> None:
        """Waits for every call.

        Raises:
            Exception: the first error of a call that the handler did not await, so that an
                emit which failed fails the run that made it.
        """
        await self.settle()
        for call in self._started:
            if not call.awaited and (error := _error(call.task)):
                raise error

    async def settle(self) -> None:
        """Waits for every call, and for those that begin meanwhile; raises none of their errors."""
        try:
            while waiting := [call.task for call in self._started if not call.task.done()]:
                await asyncio.wait(waiting)
        except asyncio.CancelledError:
            self.cancel()
            raise
        for call in self._started:
            _error(call.task)

    def cancel(self) -> None:
        """Stops the calls that are under way."""
        for call in self._started:
            if not call.task.done():
                call.task.cancel()


def _error(task: asyncio.Future[Any]) -> BaseException | None:
    """The error of a call that is done; asked for, so that asyncio does not report it as lost."""
    return None if task.cancelled() else task.exception()
