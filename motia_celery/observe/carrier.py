"""The thread that carries this process's counts to Redis, once a second."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable

from motia_celery.errors import FrameworkError
from motia_celery.observe.metrics import Meter
from motia_celery.observe.otel_metrics import Export
from motia_celery.process import process_id
from motia_celery.stores.metrics import MetricStore

logger = logging.getLogger("motia_celery.metrics")

SECONDS = 1.0
#: A process says so often what it has just now.
_SAY_EVERY = 5


class Carrier:
    """Carries a meter's counts to the store, from its first use in a process on.

    While Redis is away the counts wait here; they are numbers, and take no more room with time.
    """

    def __init__(
        self,
        meter: Meter,
        store: Callable[[], MetricStore],
        export: Callable[[], Export] | None = None,
    ) -> None:
        """``export`` makes what tells OpenTelemetry, anew in each process."""
        self._meter = meter
        self._open = store
        self._make_export = export
        self._pid = 0
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self._lock = threading.Lock()

    def ensure(self) -> None:
        """Starts the thread, unless it runs in this process."""
        if self._pid != process_id():
            with self._lock:
                if self._pid != process_id():
                    self._start()

    def _start(self) -> None:
        self._pid = process_id()
        self._over = threading.Event()
        self._store: MetricStore | None = None
        self._is_away = False
        self._export = self._make_export() if self._make_export else None
        if self._export is not None:
            self._export.begin()
        self._process = f"{socket.gethostname()}-{self._pid}"
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Carries what is left, and ends the thread."""
        if self._pid == process_id() and not self._over.is_set():
            self._over.set()
            self._thread.join(SECONDS * 5)

    def _run(self) -> None:
        self._start_export()
        turn = 0
        while not self._over.wait(SECONDS):
            self._carry(says=turn % _SAY_EVERY == 0)
            turn += 1
        self._carry(leaves=True)
        if self._export is not None:
            self._export.stop()

    def _start_export(self) -> None:
        try:
            if self._export is not None:
                self._export.start()
        except Exception:
            logger.exception("No metrics are exported", extra={"action": "metrics.failed"})
            self._meter.listener = None

    def _carry(self, *, says: bool = False, leaves: bool = False) -> None:
        tally = self._meter.take()
        try:
            self._store = self._store or self._open()
            if tally:
                self._store.add(tally.counts, tally.started)
            if self._meter.gauges and leaves:
                self._store.leave(self._process)
            elif self._meter.gauges and says:
                self._store.say(self._process, self._meter.read_gauges())
            self._is_away = False
        except Exception as error:
            self._meter.put_back(tally)
            self._report(error)

    def _report(self, error: Exception) -> None:
        if not self._is_away:
            known = isinstance(error, FrameworkError)
            logger.warning(
                "Metrics wait: %s",
                error,
                exc_info=not known,
                extra={"action": "metrics.waiting"},
            )
        self._is_away = True
