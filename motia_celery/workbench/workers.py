"""Queues and workers: what is waiting, and who works."""

from __future__ import annotations

import time
from collections.abc import Mapping

from fastapi import APIRouter

from motia_celery.broker.depths import Depth, Depths
from motia_celery.broker.inspection import Worker
from motia_celery.plan.topology import QueuePlan, queue_of
from motia_celery.workbench.controls import paused_steps
from motia_celery.workbench.shapes.app import (
    ActiveRun,
    Queues,
    QueueView,
    Workers,
    WorkerView,
)
from motia_celery.workbench.sources import From, Sources

router = APIRouter(tags=["workers"])

_SHOWN_RUNS = 500


@router.get("/queues")
async def get_queues(sources: From) -> Queues:
    """How much waits in each Step's queue."""
    return await queues_now(sources)


@router.get("/workers")
async def get_workers(sources: From) -> Workers:
    """The workers that answer within a second."""
    found = await sources.samples.ask("workers", sources.inspector.workers)
    steps = {queue.name: queue.step for queue in sources.plan.topology.queues}
    views = tuple(_worker(worker, steps) for worker in found)
    return Workers(at=time.time() * 1000, workers=views)


async def queues_now(sources: Sources) -> Queues:
    """The queues as they are now, or were a moment ago."""
    depths: Depths = await sources.samples.ask("depths", sources.depths.read)
    paused = await paused_steps(sources)
    return Queues(
        at=time.time() * 1000,
        queues=tuple(
            _queue(queue, depths.steps[queue.step], paused=queue.step in paused)
            for queue in sources.plan.topology.queues
        ),
        dead_letters=depths.dead_letters.ready,
    )


def _queue(plan: QueuePlan, depth: Depth, *, paused: bool) -> QueueView:
    return QueueView(
        name=plan.name,
        step=plan.step,
        type="fifo" if plan.partitions else "standard",
        topics=plan.topics,
        exists=depth.exists,
        depth=depth.ready if depth.exists else None,
        consumers=depth.consumers if depth.exists else None,
        oldest_ms=None if depth.oldest_seconds is None else depth.oldest_seconds * 1000,
        oldest_is_bound=depth.oldest_is_bound,
        sent_per_second=depth.sent_per_second,
        begun_per_second=depth.begun_per_second,
        paused=paused,
    )


def _worker(worker: Worker, steps: Mapping[str, str]) -> WorkerView:
    served = [steps[queue_of(name)] for name in worker.queues if queue_of(name) in steps]
    return WorkerView(
        name=worker.name,
        pid=worker.pid,
        pool=worker.pool,
        concurrency=worker.concurrency,
        running=len(worker.runs),
        uptime_seconds=worker.uptime_seconds,
        completed=worker.completed,
        queues=worker.queues,
        steps=tuple(dict.fromkeys(served)),
        runs=tuple(
            ActiveRun(
                id=run.id,
                step=run.step,
                started_at=None if run.started_at is None else run.started_at * 1000,
            )
            for run in worker.runs[:_SHOWN_RUNS]
        ),
    )
