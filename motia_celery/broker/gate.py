"""The gate that a delivery passes before its handler runs: calls off, makes wait, or lets through.

Nothing that waits here is ever requeued: each requeue would count towards the delivery limit. It
waits in place for a while, then goes the way of delayed messages, and its place in the worker is
free meanwhile.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from motia_celery.errors import StoreUnavailableError
from motia_celery.model.control import Controls
from motia_celery.model.run import Run
from motia_celery.model.step import LONGEST_DELAY_SECONDS, Rate, Step

logger = logging.getLogger("motia_celery.worker")

#: A place is kept this long without being renewed: when a worker dies, so long is it taken.
LEASE_SECONDS = 15.0
#: How long a delivery waits in place for a limit of its Step, or of its key alone: behind one
#: busy key, others may be free.
HOLD_SECONDS = 60.0
KEY_HOLD_SECONDS = 2.0
_POLL_SECONDS = (0.05, 0.5)
#: How long a message stays away that found no place.
_AWAY_SECONDS = (3.0, 10.0)


class CalledOffError(Exception):
    """The run was called off: it does not begin, or was cut."""


class LaterError(Exception):
    """The run can not begin yet; its message comes back after ``seconds``.

    ``booked``: the wait is that of its rate, and it need not ask again.
    """

    def __init__(self, seconds: float, *, booked: bool = False) -> None:
        super().__init__(seconds)
        self.seconds = seconds
        self.booked = booked


class LimitStore(Protocol):
    """Limits that count in all processes together, as the stores provide them."""

    async def take(self, name: str, limit: int, holder: str, lease_seconds: float) -> bool:
        """Takes one of ``limit`` places."""

    async def renew(self, name: str, holders: Sequence[str], lease_seconds: float) -> None:
        """Keeps places for longer."""

    async def release(self, name: str, holder: str) -> None:
        """Gives a place back."""

    async def book(self, name: str, rate: Rate, longest_seconds: float) -> float:
        """Books the next run of a rate, and gives the wait; negative if nothing was booked."""


class Gate:
    """The gate of one process's runs."""

    def __init__(self, limits: LimitStore) -> None:
        self._limits = limits
        self._places = Places(limits)
        self._controls = Controls()
        self._running: dict[object, _Running] = {}
        self._cut: set[str] = set()

    def apply(self, controls: Controls) -> None:
        """Takes over what is in force, from any thread, and cuts the runs that are called off."""
        self._controls = controls
        for running in list(self._running.values()):
            run = running.run
            if controls.calls_off(run, None) and run.id not in self._cut:
                self._cut.add(run.id)
                running.loop.call_soon_threadsafe(running.task.cancel)

    @asynccontextmanager
    async def passed(
        self, step: Step, run: Run, sent_at: float | None, *, booked: bool
    ) -> AsyncIterator[None]:
        """Lets the run begin, and frees its place once it has ended. ``booked``: its rate has
        let it through already.

        Raises:
            CalledOffError: it is not to begin, or was cut.
            LaterError: it has to wait for longer than a delivery may be held.
        """
        if self._controls.calls_off(run, sent_at):
            raise CalledOffError
        place = place_of(step, run)
        with self._tracked(run):
            try:
                if place is not None:
                    await self._places.enter(place, step, run)
                if step.queue.rate is not None and not booked:
                    await self._wait_for_rate(step, step.queue.rate)
                yield
            finally:
                if place is not None:
                    await self._places.leave(place, run)

    @contextmanager
    def _tracked(self, run: Run) -> Iterator[None]:
        """Makes the run one that can be cut."""
        task = asyncio.current_task()
        assert task is not None
        ticket = object()
        self._running[ticket] = _Running(run, task, asyncio.get_running_loop())
        try:
            yield
        except asyncio.CancelledError:
            if run.id not in self._cut:
                raise
            task.uncancel()
            raise CalledOffError from None
        finally:
            del self._running[ticket]
            self._cut.discard(run.id)

    async def _wait_for_rate(self, step: Step, rate: Rate) -> None:
        wait = await self._limits.book(step.name, rate, LONGEST_DELAY_SECONDS)
        if wait < 0:
            raise LaterError(LONGEST_DELAY_SECONDS)
        if wait > HOLD_SECONDS and step.queue.type != "fifo":
            raise LaterError(wait, booked=True)
        await asyncio.sleep(wait)


@dataclass(frozen=True, slots=True)
class _Running:
    run: Run
    task: asyncio.Task[Any]
    loop: asyncio.AbstractEventLoop


class Places:
    """The places that runs of this process hold or wait for."""

    def __init__(self, limits: LimitStore) -> None:
        self._limits = limits
        self._held: dict[str, set[str]] = {}
        self._waiting: dict[str, deque[asyncio.Event]] = {}
        self._renewal: asyncio.Task[None] | None = None

    async def enter(self, place: str, step: Step, run: Run) -> None:
        """Takes a place, once there is one.

        Raises:
            LaterError: there is none for long.
        """
        limit = step.queue.concurrency or 1
        patience = KEY_HOLD_SECONDS if step.queue.concurrency_key else HOLD_SECONDS
        deadline = time.monotonic() + patience
        while not await self._take(place, limit, run):
            if time.monotonic() > deadline and step.queue.type != "fifo":
                raise LaterError(_between(_AWAY_SECONDS))
            await self._wait(place)

    async def leave(self, place: str, run: Run) -> None:
        """Gives the place back, if the run has it; one that waits here is next to try."""
        holders = self._held.get(place, set())
        if run.id in holders:
            holders.discard(run.id)
            if not holders:
                del self._held[place]
            try:
                await self._limits.release(place, run.id)
            except StoreUnavailableError as error:
                _warn(f"a place is free again only after {LEASE_SECONDS:.0f} s: {error}", run.step)
        for waiter in self._waiting.get(place, ()):
            if not waiter.is_set():
                waiter.set()
                break

    async def _take(self, place: str, limit: int, run: Run) -> bool:
        if len(self._held.get(place, ())) >= limit:
            return False
        try:
            taken = await self._limits.take(place, limit, run.id, LEASE_SECONDS)
        except StoreUnavailableError as error:
            _warn(f"the runs wait, since their limit can not be looked at: {error}", run.step)
            return False
        if taken:
            self._held.setdefault(place, set()).add(run.id)
            if self._renewal is None or self._renewal.done():
                self._renewal = asyncio.get_running_loop().create_task(self._renew())
        return taken

    async def _wait(self, place: str) -> None:
        """Until a place is given back here, or might be elsewhere."""
        waiter = asyncio.Event()
        line = self._waiting.setdefault(place, deque())
        line.append(waiter)
        try:
            async with asyncio.timeout(_between(_POLL_SECONDS)):
                await waiter.wait()
        except TimeoutError:
            return
        finally:
            line.remove(waiter)
            if not line:
                self._waiting.pop(place, None)

    async def _renew(self) -> None:
        while self._held:
            await asyncio.sleep(LEASE_SECONDS / 3)
            for place, holders in list(self._held.items()):
                try:
                    await self._limits.renew(place, list(holders), LEASE_SECONDS)
                except StoreUnavailableError as error:
                    _warn(f"places may be lost: {error}", place)


def _between(limits: tuple[float, float]) -> float:
    return random.uniform(*limits)  # noqa: S311 - it spreads, and hides nothing


def _warn(what: str, step: str) -> None:
    logger.warning("%s: %s", step, what, extra={"action": "limit.unknown", "step": step})


def place_of(step: Step, run: Run) -> str | None:
    """The name of the places that the run needs one of; None where there is no limit."""
    options = step.queue
    if options.concurrency is None:
        return None
    if options.concurrency_key is None:
        return step.name
    value = orjson.dumps(_value_at(run.input, options.concurrency_key), option=orjson.OPT_SORT_KEYS)
    return f"{step.name}:{hashlib.sha256(value).hexdigest()[:32]}"


def _value_at(data: Any, path: str) -> Any:
    """The part of the data at a dotted path; None where there is none."""
    for name in path.split("."):
        data = data.get(name) if isinstance(data, Mapping) else None
    return data
