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
from collections.abc import Mapping, Sequence
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
        self.places = Places(limits)
        #: What is in force.
        self.controls = Controls()
        #: What has passed and not ended yet, and the runs among them that are cut.
        self.running: set[Passage] = set()
        self.cut: set[str] = set()

    def apply(self, controls: Controls) -> None:
        """Takes over what is in force, from any thread, and cuts the runs that are called off."""
        self.controls = controls
        for passage in list(self.running):
            run = passage.run
            if controls.calls_off(run, None) and run.id not in self.cut:
                self.cut.add(run.id)
                passage.loop.call_soon_threadsafe(passage.task.cancel)

    def passed(self, step: Step, run: Run, sent_at: float | None, *, booked: bool) -> Passage:
        """Lets the run begin, and frees its place once it has ended: ``async with`` it.

        ``booked``: its rate has let it through already. Entering and leaving it raise

            CalledOffError: it is not to begin, or was cut.
            LaterError: it has to wait for longer than a delivery may be held.
        """
        return Passage(self, step, run, sent_at, booked=booked)

    async def wait_for_rate(self, step: Step, rate: Rate) -> None:
        """Waits until the rate of the Step lets a run begin.

        Raises:
            LaterError: that is too long to wait here.
        """
        wait = await self._limits.book(step.name, rate, LONGEST_DELAY_SECONDS)
        if wait < 0:
            raise LaterError(LONGEST_DELAY_SECONDS)
        if wait > HOLD_SECONDS and step.queue.type != "fifo":
            raise LaterError(wait, booked=True)
        await asyncio.sleep(wait)


class Passage:
    """A run's way through the gate. Each run has one, so it is no generator, which costs more."""

    __slots__ = ("_booked", "_gate", "_place", "_sent_at", "_step", "loop", "run", "task")

    task: asyncio.Task[Any]
    loop: asyncio.AbstractEventLoop

    def __init__(
        self, gate: Gate, step: Step, run: Run, sent_at: float | None, *, booked: bool
    ) -> None:
        self.run = run
        self._gate = gate
        self._step = step
        self._sent_at = sent_at
        self._booked = booked

    async def __aenter__(self) -> None:
        """Waits until the run may begin."""
        gate = self._gate
        if gate.controls.calls_off(self.run, self._sent_at):
            raise CalledOffError
        self._place = _place(self._step, self.run)
        self.loop = asyncio.get_running_loop()
        self.task = _current_task()
        gate.running.add(self)
        try:
            if self._place is not None:
                await gate.places.enter(self._place, self._step, self.run)
            if self._step.queue.rate is not None and not self._booked:
                await gate.wait_for_rate(self._step, self._step.queue.rate)
        except BaseException as error:
            await self.__aexit__(type(error), error, None)
            raise

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Gives the place back; a run that was cut ends as one that is called off."""
        try:
            if self._place is not None:
                await self._gate.places.leave(self._place, self.run)
        except asyncio.CancelledError as cancelled:
            error = cancelled
        finally:
            self._gate.running.discard(self)
        if self.run.id in self._gate.cut:
            self._gate.cut.discard(self.run.id)
            if isinstance(error, asyncio.CancelledError):
                self.task.uncancel()
                raise CalledOffError from None
        if isinstance(error, asyncio.CancelledError):
            raise error


def _current_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


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


def _place(step: Step, run: Run) -> str | None:
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
