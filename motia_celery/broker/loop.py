"""The event loop that handlers of this process run on, in a thread of its own.

Celery's side stays synchronous: a task body calls :func:`wait_for`, which hands the coroutine to
the loop. In the async pool the task body is a greenlet on the loop itself, so it gives way
instead of blocking, and many hundred task bodies share one thread.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

from motia_celery.process import process_id

T = TypeVar("T")


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's loop where it exists, else asyncio's."""
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()


class LoopThread:
    """A running event loop in a daemon thread."""

    def __init__(self) -> None:
        self.pid = process_id()
        self.loop = new_event_loop()
        self._thread = threading.Thread(target=self._main, name="steps", daemon=True)
        self._thread.start()

    def _main(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def stop(self, timeout_seconds: float = 5) -> None:
        """Ends the loop and its thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout_seconds)


_current: LoopThread | None = None
_starting = threading.Lock()


def loop_thread() -> LoopThread:
    """This process's loop thread, started at the first use; a forked child gets its own."""
    global _current
    with _starting:
        if _current is None or _current.pid != process_id():
            _current = LoopThread()
        return _current


class TaskBody(greenlet):
    """Celery's synchronous tracer, run on the event loop."""


def run_soon(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Runs it on the loop, from any thread; nobody waits for it."""
    asyncio.run_coroutine_threadsafe(coroutine, loop_thread().loop)


def wait_for(coroutine: Coroutine[Any, Any, T]) -> T:
    """The coroutine's value, for a task body in any pool."""
    body = getcurrent()
    if isinstance(body, TaskBody) and body.parent is not None:
        result: T = body.parent.switch(coroutine)
        return result
    future = asyncio.run_coroutine_threadsafe(coroutine, loop_thread().loop)
    try:
        return future.result()
    except BaseException:  # a time limit, where it is a signal
        future.cancel()
        raise


async def run_body(
    function: Callable[[], Any], cause: Callable[[BaseException], BaseException]
) -> Any:
    """Runs a task body as a greenlet, awaiting on its behalf what it waits for.

    What that raises is raised in the body, as ``cause`` puts it.
    """
    body = TaskBody(function, getcurrent())
    result = body.switch()
    while not body.dead:
        try:
            value = await result
        except BaseException as error:  # cancellation goes into the body too
            result = body.throw(cause(error))
        else:
            result = body.switch(value)
    return result
