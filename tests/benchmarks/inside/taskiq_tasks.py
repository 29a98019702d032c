"""The benchmark's tasks on Taskiq with aio-pika: late acks, a quorum queue, confirms."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bench_ticks import done, line, tick
from taskiq.serializers import ORJSONSerializer
from taskiq_aio_pika import AioPikaBroker
from taskiq_aio_pika.queue import Queue, QueueType

broker = AioPikaBroker(
    os.environ["BENCH_BROKER"],
    qos=int(os.environ.get("BENCH_PREFETCH", "100")),
    task_queues=[Queue(name="bench", type=QueueType.QUORUM, routing_key="bench")],
).with_serializer(ORJSONSerializer())


@broker.task(task_name="noop")
async def noop(data: dict[str, Any]) -> None:
    tick()


@broker.task(task_name="wait")
async def wait(data: dict[str, Any]) -> None:
    await asyncio.sleep(0.1)
    tick()


@broker.task(task_name="stamp")
async def stamp(data: dict[str, Any]) -> None:
    line(str(time.time() - data["sent"]))


@broker.task(task_name="second")
async def second(data: dict[str, Any]) -> None:
    done(data["id"])


@broker.task(task_name="first")
async def first(data: dict[str, Any]) -> None:
    await second.kiq(data)


@asynccontextmanager
async def connected() -> AsyncIterator[None]:
    """Tasks can be sent inside."""
    await broker.startup()
    yield
    await broker.shutdown()


async def send(task: str, data: dict[str, Any]) -> None:
    """Publishes a task."""
    found = broker.find_task(task)
    assert found is not None
    await found.kiq(data)
