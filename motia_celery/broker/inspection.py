"""What the running workers say of themselves, by Celery's remote control."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from celery import Celery

from motia_celery.broker.celery_app import POOLS, celery_settings
from motia_celery.broker.connection import broker_errors
from motia_celery.plan import Plan
from motia_celery.settings import Settings

#: Workers that have not answered by then are taken for absent.
ANSWER_SECONDS = 1.0

_TASK = "step:"
Answers = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Active:
    """A run that a worker has begun; ``started_at`` is in epoch seconds."""

    id: str
    step: str
    started_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One worker process that answered."""

    name: str
    pid: int | None
    pool: str
    concurrency: int | None
    uptime_seconds: float | None
    completed: int
    queues: tuple[str, ...]
    runs: tuple[Active, ...]


class Inspector:
    """Asks all workers of the app. It blocks."""

    def __init__(self, settings: Settings, plan: Plan) -> None:
        self._settings = settings
        self._app = Celery("motia_celery.inspector", set_as_current=False)
        self._app.conf.update(celery_settings(settings, plan, None))

    def workers(self) -> tuple[Worker, ...]:
        """Those that answer, by name.

        Raises:
            BrokerUnavailableError: the broker does not answer.
        """
        questions = ("stats", "active", "active_queues")
        with broker_errors(self._settings), ThreadPoolExecutor(len(questions)) as threads:
            stats, active, queues = threads.map(self._ask, questions)
        names = sorted({*stats, *active, *queues})
        return tuple(
            _worker(name, stats.get(name) or {}, active.get(name) or [], queues.get(name) or [])
            for name in names
        )

    def _ask(self, question: str) -> Answers:
        """Every worker's answer by its name."""
        with self._app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0.1, timeout=5)
            inspect = self._app.control.inspect(timeout=ANSWER_SECONDS, connection=connection)
            found: Answers = getattr(inspect, question)() or {}
            return found


def _worker(name: str, stats: Answers, active: list[Any], queues: list[Any]) -> Worker:
    pool = stats.get("pool") or {}
    return Worker(
        name=name,
        pid=stats.get("pid"),
        pool=_pool_name(str(pool.get("implementation", ""))),
        concurrency=pool.get("max-concurrency"),
        uptime_seconds=stats.get("uptime"),
        completed=sum((stats.get("total") or {}).values()),
        queues=tuple(sorted(str(queue.get("name")) for queue in queues)),
        runs=tuple(_active(task) for task in active),
    )


def _pool_name(implementation: str) -> str:
    """The name by which the setting ``pool`` knows it, or else that of its module."""
    for name, module in POOLS.items():
        if module == implementation:
            return name
    return implementation.rpartition(":")[0].rpartition(".")[2].lstrip("_")


def _active(task: Answers) -> Active:
    name, started = str(task.get("name", "")), task.get("time_start")
    return Active(
        id=str(task.get("id", "")),
        step=name.removeprefix(_TASK),
        started_at=_epoch(started) if isinstance(started, (int, float)) else None,
    )


def _epoch(moment: float) -> float:
    """Epoch seconds of a moment that may be on a clock which counts from the machine's start."""
    return moment if moment > 1e9 else time.time() - max(0.0, time.monotonic() - moment)
