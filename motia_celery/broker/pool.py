"""The async pool: a Celery worker pool whose slots are coroutines on one event loop.

Celery's own tracer runs for each task, unchanged, as a greenlet on that loop, so signals, events,
results and retries are what they are in every other pool, while hundreds of handlers wait at once.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from billiard.einfo import ExceptionInfo
from billiard.exceptions import SoftTimeLimitExceeded, Terminated, TimeLimitExceeded
from celery.concurrency.base import BasePool, apply_target

from motia_celery.broker import wire
from motia_celery.broker.loop import LoopThread, loop_thread, run_body
from motia_celery.broker.slots import Slots, Urgency
from motia_celery.model.emit import DEFAULT_PRIORITY

#: How long the end of the pool waits for the broker to read the last acknowledgements.
_FINISH_SECONDS = 3.0
#: Why a job was cut short: each becomes the exception that Celery expects there.
_Cause = Callable[[], BaseException]


class Job:
    """One task in the pool; Celery keeps it to terminate the task with."""

    def __init__(self, pool: TaskPool, body: Callable[[], Any], urgency: Urgency) -> None:
        self._pool = pool
        self._body = body
        self._urgency = urgency
        self.task: asyncio.Task[None] | None = None
        self.cause: _Cause | None = None

    def cut(self, cause: _Cause) -> None:
        """Cancels what the task waits for; its body sees the cause's exception."""
        if self.task is not None and not self.task.done():
            self.cause = cause
            self.task.cancel()

    def terminate(self, signal: int | None = None) -> None:
        """Celery's ``revoke(terminate=True)``."""
        self._pool.loop.call_soon_threadsafe(self.cut, lambda: Terminated(signal or "SIGTERM"))

    async def run(self, slots: Slots, on_error: Callable[..., Any]) -> None:
        """Waits for a slot, then runs the body."""
        try:
            async with slots.taken(self._urgency):
                await run_body(self._body, self._cause_of)
        except BaseException as error:  # Celery's rule: the pool answers for what escapes
            _report(self._cause_of(error), on_error)

    def _cause_of(self, error: BaseException) -> BaseException:
        """Why the job was cut, in place of the cancellation that cut it; else the error itself."""
        if self.cause is None or not isinstance(error, asyncio.CancelledError):
            return error
        cause, self.cause = self.cause, None
        if self.task is not None:
            self.task.uncancel()
        return cause()


def _report(error: BaseException, on_error: Callable[..., Any]) -> None:
    try:
        raise error
    except BaseException:
        on_error(ExceptionInfo())


class TaskPool(BasePool):
    """``worker_pool = "motia_celery.broker.pool:TaskPool"``; ``-c`` is the number of slots."""

    body_can_be_buffer = True
    signal_safe = False

    loop: asyncio.AbstractEventLoop

    def on_start(self) -> None:
        """Starts the loop."""
        self._thread: LoopThread = loop_thread()
        self.loop = self._thread.loop
        self._jobs: set[Job] = set()
        #: The runs that came here without a job of Celery's.
        self.direct_runs: set[asyncio.Task[None]] = set()
        self.slots = Slots(self.limit)
        if self.app is not None:
            self.app.step_pool = self

    def on_apply(
        self,
        target: Callable[..., Any],
        args: Any = None,
        kwargs: Any = None,
        callback: Callable[..., Any] | None = None,
        accept_callback: Callable[..., Any] | None = None,
        error_callback: Callable[..., Any] | None = None,
        timeout_callback: Callable[..., Any] | None = None,
        soft_timeout: float | None = None,
        timeout: float | None = None,
        **_options: Any,
    ) -> Job:
        """Takes a task from Celery's main thread."""

        def body() -> Any:
            return apply_target(target, args, kwargs, callback, accept_callback)

        job = Job(self, body, self._urgency(args))
        limits = _Limits(soft_timeout, timeout, timeout_callback)
        on_error = error_callback or (lambda _info: None)
        self._jobs.add(job)
        self.loop.call_soon_threadsafe(self._launch, job, limits, on_error)
        return job

    def _urgency(self, args: Any) -> Urgency:
        """The priority of the Step, then that of the event; what has none is in the middle."""
        if self.app is None or not args or len(args) < 3 or not isinstance(args[2], Mapping):
            return ()
        of_step = getattr(self.app.tasks.get(args[0]), "priority", None)
        return self.urgency(of_step, args[2].get(wire.PRIORITY))

    @staticmethod
    def urgency(of_step: int | None, of_event: int | None) -> Urgency:
        """How urgent a run is: by its Step, then by its event."""
        return tuple(DEFAULT_PRIORITY if p is None else p for p in (of_step, of_event))

    def _launch(self, job: Job, limits: _Limits, on_error: Callable[..., Any]) -> None:
        job.task = self.loop.create_task(job.run(self.slots, on_error))
        timers = limits.arm(self.loop, job)

        def over(_task: asyncio.Task[None]) -> None:
            for timer in timers:
                timer.cancel()
            self._jobs.discard(job)

        job.task.add_done_callback(over)

    def terminate_job(self, pid: int, signal: int | None = None) -> None:
        """Celery terminates the job itself next; there is no process to signal."""

    def grow(self, count: int = 1) -> None:
        """Adds slots (Celery's ``pool_grow``)."""
        self.limit += count
        for _ in range(count):
            self.loop.call_soon_threadsafe(self.slots.release)

    def on_stop(self) -> None:
        """Waits for the tasks that run."""
        if not hasattr(self, "loop"):
            return  # told to stop while it started
        done = threading.Event()

        async def drain() -> None:
            while tasks := self._under_way():
                await asyncio.wait(tasks)
            if self.app is not None:
                await self.app.direct_feeds.aclose()
            done.set()

        asyncio.run_coroutine_threadsafe(drain(), self.loop)
        done.wait()

    def _under_way(self) -> list[asyncio.Task[None]]:
        jobs = list(self._jobs)
        return [*self.direct_runs, *(job.task for job in jobs if job.task is not None)]

    def on_terminate(self) -> None:
        """Leaves the tasks that run: their messages are not acknowledged, so they come back.

        Those that have ended are: the broker has read that before the process ends.
        """
        if self.app is not None:
            finished = self.app.direct_feeds.aclose()
            with suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(finished, self.loop).result(_FINISH_SECONDS)

    def _get_info(self) -> dict[str, Any]:
        return {**super()._get_info(), "running": len(self._under_way())}


class _Limits:
    """A task's time limits, armed when it is taken."""

    def __init__(
        self, soft: float | None, hard: float | None, notify: Callable[..., Any] | None
    ) -> None:
        self._soft = soft
        self._hard = hard
        self._notify = notify

    def arm(self, loop: asyncio.AbstractEventLoop, job: Job) -> list[asyncio.TimerHandle]:
        """Starts the timers, and gives them for cancelling."""
        timers = []
        if self._soft:
            timers.append(loop.call_later(self._soft, self._cut_softly, job, self._soft))
        if self._hard:
            timers.append(loop.call_later(self._hard, self._cut_hard, job, self._hard))
        return timers

    def _cut_softly(self, job: Job, seconds: float) -> None:
        if self._notify:
            self._notify(soft=True, timeout=seconds)
        job.cut(lambda: SoftTimeLimitExceeded(seconds))

    def _cut_hard(self, job: Job, seconds: float) -> None:
        job.cut(lambda: TimeLimitExceeded(seconds))
