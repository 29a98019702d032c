"""Calls that a handler makes on its context, awaited or not, from async and sync code.

In an ``async def`` handler a call starts at once and may be awaited; one that is not awaited is
finished before the run ends. In a plain ``def`` handler, which runs in a thread, the call waits
and gives the value itself.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from threading import get_ident
from types import TracebackType
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")

#: A handler that goes on for long, such as one that writes its response, makes many calls.
_MOST_KEPT = 1_000

_gives_values: ContextVar[bool] = ContextVar("motia_celery_gives_values", default=False)


@contextmanager
def giving_values() -> Iterator[None]:
    """Calls of a handler that has another loop than its run wait, and give their values."""
    token = _gives_values.set(True)
    try:
        yield
    finally:
        _gives_values.reset(token)


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
    """The calls of one run, which begins on ``loop``, in this thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = get_ident()
        self._started: list[Call[Any]] = []
        self._others: list[_Other] = []
        self._room = _MOST_KEPT

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
            return self._start_for(running, coroutine)
        return self.follow(self._loop.create_task(coroutine))

    def start_here(self, coroutine: Coroutine[Any, Any, T]) -> Call[T]:
        """:meth:`start`, for what is the handler's own code: it stays on the handler's loop."""
        with suppress(RuntimeError):
            running = asyncio.get_running_loop()
            if running is not self._loop:
                return Call(running.create_task(coroutine))
        return self.start(coroutine)

    def follow(self, task: asyncio.Future[T]) -> Call[T]:
        """The call for what is under way on the run's loop already."""
        call = Call(task)
        if len(self._started) >= self._room:
            self._started = [c for c in self._started if not _is_settled(c)]
            self._room = max(_MOST_KEPT, 2 * len(self._started))
        self._started.append(call)
        return call

    def are_here(self) -> bool:
        """Whether the caller is on the run's loop."""
        # Asking for the running loop asks the kernel for the process's id, before Python 3.12.
        return get_ident() == self._thread and self._loop.is_running()

    def _start_for(
        self, running: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T]
    ) -> Any:
        """Starts the call for a handler that has another loop, in its thread."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        if _gives_values.get():
            return future.result()
        call = Call(asyncio.wrap_future(future, loop=running))
        call.task.add_done_callback(_error)
        self._others = [other for other in self._others if not other.is_settled]
        self._others.append(_Other(future, call))
        return call

    def __bool__(self) -> bool:
        """Whether there were any."""
        return bool(self._started or self._others)

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
        for other in self._others:
            if not other.call.awaited and (error := _error(other.future)):
                raise error

    async def settle(self) -> None:
        """Waits for every call, and for those that begin meanwhile; raises none of their errors."""
        try:
            while waiting := self._under_way():
                await asyncio.wait(waiting)
        except asyncio.CancelledError:
            self.cancel()
            raise
        for call in self._started:
            _error(call.task)

    def _under_way(self) -> list[asyncio.Future[Any]]:
        own = [call.task for call in self._started if not call.task.done()]
        others = [
            asyncio.wrap_future(other.future) for other in self._others if not other.future.done()
        ]
        for other in others:
            other.add_done_callback(_error)  # it is asked for, so that it is not reported as lost
        return [*own, *others]

    def cancel(self) -> None:
        """Stops the calls that are under way."""
        for call in self._started:
            if not call.task.done():
                call.task.cancel()
        for other in self._others:
            other.future.cancel()


@dataclass(frozen=True, slots=True)
class _Other:
    """A call that is awaited on another loop, if at all."""

    future: concurrent.futures.Future[Any]
    call: Call[Any]

    @property
    def is_settled(self) -> bool:
        """Whether it is of no more interest at the run's end."""
        return self.future.done() and (self.call.awaited or _error(self.future) is None)


def _is_settled(call: Call[Any]) -> bool:
    """Whether the call is of no more interest at the run's end."""
    return call.task.done() and (call.awaited or _error(call.task) is None)


def _error(
    task: asyncio.Future[Any] | concurrent.futures.Future[Any],
) -> BaseException | None:
    """The error of a call that is done; asked for, so that asyncio does not report it as lost."""
    return None if task.cancelled() else task.exception()
