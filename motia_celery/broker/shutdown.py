"""How a worker stops on SIGTERM: it takes nothing more, and what runs may end.

Celery's own soft shutdown waits for its whole time, however early the runs end, and afterwards
begins what was delivered meanwhile, only to cut it at once.
"""

from __future__ import annotations

import logging
import time
from functools import cached_property

from celery import Celery
from celery.apps.worker import Worker
from celery.worker import state

logger = logging.getLogger("motia_celery.worker")

_LOOK_SECONDS = 0.05


class StepCelery(Celery):
    """A Celery app whose workers stop as described above."""

    @cached_property
    def Worker(self) -> type[Worker]:  # noqa: N802 - Celery's name
        """The class of its workers."""
        found: type[Worker] = self.subclass_with_self("motia_celery.broker.shutdown:StepWorker")
        return found


class StepWorker(Worker):
    """Celery's worker, which returns what it has not begun."""

    _is_told = False

    def terminate(self, in_sighandler: bool = False) -> None:
        """Ends, and says so: Celery sends ``worker_shutdown`` only where a worker ends warmly."""
        super().terminate(in_sighandler)
        if not in_sighandler:
            self._send_worker_shutdown()

    def _send_worker_shutdown(self) -> None:
        if not self._is_told:
            self._is_told = True
            super()._send_worker_shutdown()

    def wait_for_soft_shutdown(self) -> None:
        """Returns once all runs have ended, and at the latest after ``soft_shutdown_seconds``."""
        self.consumer.takes_deliveries = False
        seconds = self.app.conf.worker_soft_shutdown_timeout
        deadline = time.monotonic() + seconds
        logger.info(
            "Stopping: %d runs have %g s to end",
            len(state.reserved_requests),
            seconds,
            extra={"action": "worker.stopping"},
        )
        while state.reserved_requests and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
