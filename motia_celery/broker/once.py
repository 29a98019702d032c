"""Runs of Steps with ``once``: one that has finished, or is under way, is not done again."""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from motia_celery.broker.gate import LaterError
from motia_celery.errors import StoreUnavailableError
from motia_celery.model.run import Run
from motia_celery.model.step import Step
from motia_celery.stores.finished import FinishedRuns

logger = logging.getLogger("motia_celery.worker")

#: How long a run is taken for one under way after its process has died.
LEASE_SECONDS = 15.0
#: How long a delivery stays away whose run is under way elsewhere.
_AWAY_SECONDS = (2.0, 5.0)


class Turn:
    """One delivery's turn at a run. ``has_finished``: there is nothing left to do."""

    def __init__(self, runs: FinishedRuns, run: Run, *, has_finished: bool) -> None:
        self._runs = runs
        self._run = run
        self.has_finished = has_finished

    async def finish(self) -> None:
        """Marks the run as finished; a redelivery does nothing from now on."""
        try:
            await self._runs.finish(self._run.id)
        except StoreUnavailableError as error:
            _warn(self._run, f"Finished, but not marked so: a redelivery runs again ({error})")
        self.has_finished = True


class Once:
    """Whose turn it is at a run, in all processes together."""

    def __init__(self, runs: FinishedRuns) -> None:
        self._runs = runs

    @asynccontextmanager
    async def turn(self, step: Step, run: Run) -> AsyncIterator[Turn]:
        """Takes the run, and gives it back unless it was finished.

        Raises:
            LaterError: another delivery of it is under way, or Redis can not tell.
        """
        holder = uuid.uuid4().hex
        while not (turn := await self._begun(run, holder)):
            if step.queue.type != "fifo":
                raise LaterError(random.uniform(*_AWAY_SECONDS))  # noqa: S311 - it only spreads
            await asyncio.sleep(_AWAY_SECONDS[0])  # what follows must wait too
        if turn.has_finished:
            yield turn
            return
        renewal = asyncio.create_task(self._renew(run, holder))
        try:
            yield turn
        finally:
            renewal.cancel()
            if not turn.has_finished:
                with suppress(StoreUnavailableError):  # its lease runs out
                    await self._runs.release(run.id, holder)

    async def _begun(self, run: Run, holder: str) -> Turn | None:
        try:
            state = await self._runs.begin(run.id, holder, LEASE_SECONDS)
        except StoreUnavailableError as error:
            _warn(run, f"Waits, since it is not known whether it has finished ({error})")
            return None
        if state == "busy":
            return None
        return Turn(self._runs, run, has_finished=state == "finished")

    async def _renew(self, run: Run, holder: str) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            try:
                await self._runs.renew(run.id, holder, LEASE_SECONDS)
            except StoreUnavailableError as error:
                _warn(run, f"Another delivery of it may run as well ({error})")


def _warn(run: Run, text: str) -> None:
    logger.warning("%s", text, extra={"action": "once.unknown", "step": run.step, "run_id": run.id})
