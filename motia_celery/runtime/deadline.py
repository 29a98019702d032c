"""A run's time limit: soft, by cancelling the handler, then hard, by going on without it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

logger = logging.getLogger("motia_celery.runtime")

#: A handler that was cancelled has this long to tidy up, or even to return.
GRACE_SECONDS = 2.0


class OverdueError(Exception):
    """The work was cut at its limit."""


async def within(seconds: float | None, work: Coroutine[Any, Any, T], step: str) -> T:
    """What the work returned; it is cancelled after so many ``seconds``.

    Work that does not give way within the grace time is left alone: it goes on, and nobody waits
    for it.

    Raises:
        OverdueError: the work took longer.
    """
    if seconds is None:
        return await work
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        await _cut(task, step)
        raise
    if task.done():
        return task.result()
    await _cut(task, step)
    if not task.done() or task.cancelled():
        raise OverdueError
    return task.result()


async def _cut(task: asyncio.Future[Any], step: str) -> None:
    task.cancel()
    await asyncio.wait({task}, timeout=GRACE_SECONDS)
    if not task.done():
        logger.error(
            "%s was cut at its time limit and does not give way; it goes on by itself. "
            "Let its CancelledError through, or isolate the Step.",
            step,
            extra={"action": "run.stuck", "step": step},
        )
        task.add_done_callback(_forget)


def _forget(task: asyncio.Future[Any]) -> None:
    """Looks at the outcome, so that asyncio does not report it as lost."""
    if not task.cancelled():
        task.exception()
