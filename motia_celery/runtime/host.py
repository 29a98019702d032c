"""A host, and the end of a call through it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Protocol

from motia_celery.context import Context
from motia_celery.model.run import Run


class Host(Protocol):
    """Something that calls handlers of one language."""

    async def call(self, run: Run, context: Context) -> Any:
        """Calls the run's handler and gives what it returned, or raises what it raised."""


async def completed(call: Awaitable[Any], context: Context) -> Any:
    """What the handler returned, once nothing that it began on its context is under way."""
    try:
        result = await call
    except (Exception, SystemExit):
        await context.settle()
        raise
    except asyncio.CancelledError:
        context.cancel()
        raise
    await context.finish()
    return result
