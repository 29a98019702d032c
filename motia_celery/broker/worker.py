"""What happens in a Celery worker when it starts and stops, whichever command started it."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from celery import Celery, signals
from celery.exceptions import SecurityWarning
from celery.utils.nodenames import default_nodename, host_format

from motia_celery.broker.connection import broker_errors, open_connection
from motia_celery.broker.control import PausedQueues
from motia_celery.broker.topology import declare
from motia_celery.errors import FrameworkError
from motia_celery.model.control import Controls
from motia_celery.plan.topology import Topology
from motia_celery.process import keep_loaded
from motia_celery.settings import Settings

logger = logging.getLogger("motia_celery.worker")


def prepare_worker(
    app: Celery,
    settings: Settings,
    topology: Topology,
    *,
    configure_logging: Callable[[], None],
    started: Callable[[], None],
    stopped: Callable[[], None],
    child_stopped: Callable[[], None],
    read_controls: Callable[[], Controls],
    watch_controls: Callable[[Callable[[Controls], None]], None],
) -> None:
    """Hooks logging, the topology, pauses, and what is given, into Celery's signals.

    ``child_stopped`` is called in each process of a pool that has some, as it ends.
    They work alike under ``motia-celery worker`` and ``celery -A motia_celery.app worker``.
    """

    paused = PausedQueues(app)

    def on_logging(**_: Any) -> None:
        configure_logging()
        # Celery announces this choice of ours at every reconnect.
        warnings.filterwarnings("ignore", message="(?s).*long_running_tasks_on_connection_loss.*")

    def on_init(**_: Any) -> None:
        on_logging()
        try:
            with broker_errors(settings), open_connection(settings) as connection:
                connection.ensure_connection(max_retries=None, errback=_waiting)
                declare(connection, topology, settings)
        except FrameworkError as error:
            logger.error("%s", error, extra={"action": "worker.refused"})
            # Celery logs, and passes over, any other exception of a signal's receiver.
            raise SystemExit(1) from None

    def on_queues_chosen(**_: Any) -> None:
        # Before the first delivery: a Step that is paused does not begin with a restart.
        try:
            paused.leave_out(read_controls())
        except FrameworkError as error:
            logger.warning("%s", error, extra={"action": "controls.unknown"})

    def on_ready(sender: Any = None, **_: Any) -> None:
        started()
        keep_loaded()
        paused.consumer = sender
        watch_controls(paused.apply)
        logger.info(
            "Worker ready: %s pool, %d slots, %s",
            settings.pool,
            app.conf.worker_concurrency or os.cpu_count() or 1,
            "RabbitMQ" if settings.uses_rabbitmq else "Redis transport",
            extra={"action": "worker.ready"},
        )

    def on_shutdown(**_: Any) -> None:
        stopped()
        logger.info("Worker stopped", extra={"action": "worker.stopped"})

    def on_child_init(**_: Any) -> None:
        keep_loaded()

    def on_child_shutdown(**_: Any) -> None:
        child_stopped()

    # Weak references would let these closures go at once.
    signals.setup_logging.connect(on_logging, weak=False)
    signals.worker_init.connect(on_init, weak=False)
    signals.celeryd_after_setup.connect(on_queues_chosen, weak=False)
    signals.worker_ready.connect(on_ready, weak=False)
    signals.worker_process_init.connect(on_child_init, weak=False)
    signals.worker_shutdown.connect(on_shutdown, weak=False)
    signals.worker_process_shutdown.connect(on_child_shutdown, weak=False)


def _waiting(error: BaseException, interval: float) -> None:
    logger.warning(
        "The broker does not answer (%s); next try in %.0f s",
        error,
        interval,
        extra={"action": "worker.waiting"},
    )


def run_worker(app: Celery, settings: Settings, queues: Sequence[str], name: str | None) -> None:
    """Runs the worker in the foreground until it is told to stop."""
    # Celery warns root of pickle, which is refused here.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    # Not by app.worker_main: Celery's command line imports Flower and a shell, of 13 MB.
    worker = app.Worker(
        hostname=host_format(default_nodename(name or f"{settings.prefix}-{os.getpid()}@%h")),
        loglevel=settings.log_level,
        queues=list(queues),
        without_mingle=True,
        quiet=True,
    )
    worker.start()
    if worker.exitcode:
        raise SystemExit(worker.exitcode)
