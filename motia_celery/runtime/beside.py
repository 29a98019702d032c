"""An event loop beside the process's own, for handlers that may hold it up.

Motia 1.0's ``state_manager.get(…)`` gives its value with ``await`` and without. Without, an ``async
def`` handler waits where it stands, and its loop with it; so it must not be the loop that makes the
call.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

from motia_celery.process import process_id


class Beside:
    """The loop, in a thread of its own; both begin when they are first needed."""

    def __init__(self) -> None:
        self._pid = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    async def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """What the work gives, done there."""
        future = asyncio.run_coroutine_threadsafe(_kept(work), self._running())
        result, error = await asyncio.wrap_future(future)
        if error is not None:
            raise error
        return result

    def close(self) -> None:
        """Ends the loop; what is under way there is cut."""
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        if loop is None or thread is None or self._pid != process_id():
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None or self._pid != process_id():
            self._loop, self._pid = asyncio.new_event_loop(), process_id()
            self._thread = threading.Thread(
                target=_serve, args=(self._loop,), name="step-loop", daemon=True
            )
            self._thread.start()
        return self._loop


async def _kept(work: Coroutine[Any, Any, Any]) -> tuple[Any, BaseException | None]:
    try:
        return await work, None
    except (Exception, SystemExit) as error:  # SystemExit would end the loop
        return None, error


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    finally:
        loop.close()
