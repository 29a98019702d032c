"""The benchmark's tasks on Celery: late acks, a quorum queue, persistent messages."""

from __future__ import annotations

import os
import time
from typing import Any

from bench_ticks import done, line, tick
from celery import Celery
from kombu import Exchange, Queue

app = Celery("bench", broker=os.environ["BENCH_BROKER"])
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_default_queue="bench",
    task_queues=[
        Queue(
            "bench",
            Exchange("bench", type="direct"),
            routing_key="bench",
            durable=True,
            queue_arguments={"x-queue-type": "quorum"},
        )
    ],
    task_default_exchange="bench",
    task_default_routing_key="bench",
    worker_prefetch_multiplier=int(os.environ.get("BENCH_MULTIPLIER", "1")),
    broker_transport_options={"confirm_publish": os.environ.get("BENCH_CONFIRM") == "1"},
    broker_connection_retry_on_startup=True,
    broker_heartbeat=int(os.environ.get("BENCH_HEARTBEAT", "120")),
)


@app.task(name="noop")
def noop(data: dict[str, Any]) -> None:
    tick()


@app.task(name="wait")
def wait(data: dict[str, Any]) -> None:
    time.sleep(0.1)
    tick()


@app.task(name="stamp")
def stamp(data: dict[str, Any]) -> None:
    line(str(time.time() - data["sent"]))


@app.task(name="second")
def second(data: dict[str, Any]) -> None:
    done(data["id"])


@app.task(name="first")
def first(data: dict[str, Any]) -> None:
    second.apply_async((data,))


def send(task: str, data: dict[str, Any]) -> None:
    """Publishes a task."""
    app.tasks[task].apply_async((data,))
