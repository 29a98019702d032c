"""Task events of direct runs, which Flower shows: collected on the loop, sent in batches."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from motia_celery.broker.arguments import shown_arguments
from motia_celery.broker.direct.request import DirectRequest
from motia_celery.broker.feed import soon
from motia_celery.model.redaction import Redaction

#: How long an event waits for others, and how many go out together.
_WAIT_SECONDS = 0.2
_MOST = 300


class TaskEventStream:
    """The task events of one worker's direct runs. They never keep a run waiting."""

    def __init__(self, app: Any, redaction: Redaction) -> None:
        self._app = app
        self._redaction = redaction
        self._waiting: list[dict[str, Any]] = []
        self._timer: asyncio.TimerHandle | None = None

    @property
    def hostname(self) -> str:
        """The worker's name."""
        consumer = getattr(self._app, "step_consumer", None)
        return str(consumer.hostname) if consumer is not None else ""

    def received(self, request: DirectRequest, body: bytes) -> None:
        """A run arrived."""
        if not self._is_heard:
            return
        run = request.run
        self.send(
            "task-received",
            request.id,
            name=request.name,
            args=shown_arguments(run.input, self._redaction, body),
            kwargs="{}",
            root_id=run.root_id,
            parent_id=None,
            retries=run.attempt - 1,
            eta=None,
            expires=None,
        )

    def send(self, type: str, uuid: str, **fields: Any) -> None:
        """Sends an event within a moment; dropped while nobody is to hear of tasks."""
        if not self._is_heard:
            return
        fields["type"], fields["uuid"], fields["timestamp"] = type, uuid, time.time()
        self._waiting.append(fields)
        if len(self._waiting) >= _MOST:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_WAIT_SECONDS, self.flush)

    def flush(self) -> None:
        """Sends what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting = self._waiting, []
        dispatcher = self._dispatcher
        if batch and dispatcher is not None:
            # Celery's own thread reads that connection.
            soon(lambda: dispatcher.send_all(batch))

    @property
    def _is_heard(self) -> bool:
        dispatcher = self._dispatcher
        return dispatcher is not None and bool(dispatcher.enabled)

    @property
    def _dispatcher(self) -> Any:
        consumer = getattr(self._app, "step_consumer", None)
        return None if consumer is None else consumer.event_dispatcher
