"""Controls at work in a worker: Steps that pause are not consumed, runs called off are cut."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Collection
from typing import Any, Protocol

from celery import Celery
from kombu.asynchronous import get_event_loop

from motia_celery.broker.queue import StepQueue
from motia_celery.errors import FrameworkError
from motia_celery.model.control import Controls
from motia_celery.plan.topology import task_name

logger = logging.getLogger("motia_celery.worker")

#: How often the thread looks whether it is to end, and the pause after an outage of Redis.
_LOOK_SECONDS = 0.5


class Watchable(Protocol):
    """Where controls are kept, as the stores provide it."""

    def read(self) -> Controls:
        """What is in force."""

    def watch(
        self, changed: Callable[[Controls], None], is_over: Callable[[], bool], every_seconds: float
    ) -> None:
        """Calls ``changed`` now and at each change, until ``is_over``."""


class ControlWatch:
    """A thread that hears of every change of the controls, through outages of Redis."""

    def __init__(self, store: Watchable, changed: Callable[[Controls], None]) -> None:
        self._store = store
        self._changed = changed
        self._over = threading.Event()
        self.pid = os.getpid()
        self._thread = threading.Thread(target=self._run, name="controls", daemon=True)

    def start(self) -> None:
        """Starts the thread; what is in force now has been heard of before this returns."""
        try:
            self._changed(self._store.read())
        except FrameworkError as error:
            _log_unknown(error)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._over.set()
        self._thread.join(_LOOK_SECONDS * 4)

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._store.watch(self._changed, self._over.is_set, _LOOK_SECONDS)
            except FrameworkError as error:
                _log_unknown(error)
                self._over.wait(_LOOK_SECONDS)


class PausedQueues:
    """The queues that a worker leaves alone while their Steps are paused.

    ``consumer`` is Celery's, once it is ready.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._left: set[str] = set()
        self._latest = Controls()
        self.consumer: Any = None

    def leave_out(self, controls: Controls) -> None:
        """Takes the queues of paused Steps from those that will be consumed."""
        for name in self._consumed(controls.paused):
            self._left.add(name)
            self._app.amqp.queues.deselect(name)
            _log(name, "is paused", "step.paused")

    def apply(self, controls: Controls) -> None:
        """Brings the consumer to the controls, in its own thread."""
        # kombu's hub calls what waits in any order, so each call takes what is in force last.
        self._latest = controls
        hub = get_event_loop()
        if hub is not None:
            hub.call_soon(self._apply)

    def _apply(self) -> None:
        controls = self._latest
        for name in self._consumed(controls.paused):
            self._left.add(name)
            self.consumer.cancel_task_queue(name)
            _log(name, "is paused", "step.paused")
        paused = {task_name(step) for step in controls.paused}
        for name in sorted(self._left):
            if self._app.amqp.queues[name].task not in paused:
                self._left.discard(name)
                self.consumer.add_task_queue(name)
                _log(name, "goes on", "step.resumed")

    def _consumed(self, steps: Collection[str]) -> list[str]:
        """The names of these Steps' queues that are consumed now."""
        tasks = {task_name(step) for step in steps}
        queues = self._app.amqp.queues.consume_from.values()
        return [q.name for q in queues if isinstance(q, StepQueue) and q.task in tasks]


def _log_unknown(error: FrameworkError) -> None:
    logger.warning(
        "Pauses and cancellations are not heard of: %s", error, extra={"action": "controls.unknown"}
    )


def _log(queue: str, what: str, action: str) -> None:
    logger.info("%s %s", queue, what, extra={"action": action})
