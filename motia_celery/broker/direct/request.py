"""A direct run as Celery knows it: what `inspect`, `revoke` and a stopping worker look at."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from celery.worker import state

from motia_celery.broker.task import Delivered, StepTask


class DirectRequest:
    """One run under way. It is in Celery's own registers from its arrival to its end."""

    __slots__ = (
        "__weakref__",
        "acknowledged",
        "begun",
        "cut_by",
        "delivery_info",
        "eventer",
        "hostname",
        "id",
        "loop",
        "name",
        "run",
        "task",
        "time_start",
        "work",
        "worker_pid",
    )

    def __init__(
        self,
        task: StepTask,
        delivered: Delivered,
        *,
        hostname: str,
        pid: int,
        loop: asyncio.AbstractEventLoop,
        queue: str,
    ) -> None:
        self.id = delivered.run.id
        self.name: str = task.name
        self.task = task
        self.run = delivered.run
        self.hostname = hostname
        self.worker_pid = pid
        self.loop = loop
        self.delivery_info = {"exchange": "", "routing_key": queue}
        self.acknowledged = False
        self.time_start: float | None = None
        self.begun = 0.0
        self.work: asyncio.Task[None] | None = None
        self.cut_by: Any = None
        self.eventer: Any = None

    def arrived(self) -> None:
        """It waits for its slot."""
        state.requests[self.id] = self
        state.reserved_requests.add(self)

    def started(self) -> None:
        """It runs."""
        self.begun = time.monotonic()
        self.time_start = time.time()
        state.active_requests.add(self)
        state.total_count[self.name] += 1
        state.all_total_count[0] += 1

    def ended(self) -> None:
        """It is over."""
        state.requests.pop(self.id, None)
        state.reserved_requests.discard(self)
        state.active_requests.discard(self)

    def info(self, safe: bool = False) -> dict[str, Any]:
        """What `inspect active` shows."""
        return {
            "id": self.id,
            "name": self.name,
            "args": [self.run.input],
            "kwargs": {},
            "type": self.name,
            "hostname": self.hostname,
            "time_start": self.time_start,
            "acknowledged": self.acknowledged,
            "delivery_info": self.delivery_info,
            "worker_pid": self.worker_pid,
        }

    def terminate(self, pool: Any, signal: Any = None) -> None:
        """Celery's ``revoke(terminate=True)``: the run is cut, and its event is settled."""
        self._cut("terminated")

    def cancel(self, pool: Any, signal: Any = None, emit_retry: bool = True) -> None:
        """Cuts the run of a worker that stops; its event comes back."""
        self._cut("stopped")

    def _cut(self, why: str) -> None:
        def cut() -> None:
            if self.work is not None and not self.work.done():
                self.cut_by = why
                self.work.cancel()

        self.loop.call_soon_threadsafe(cut)

    def humaninfo(self) -> str:
        """Its name and id, for Celery's logs."""
        return f"{self.name}[{self.id}]"

    def __repr__(self) -> str:
        return f"<DirectRequest: {self.humaninfo()}>"
