"""The benchmark's tasks on FastStream: a quorum queue for each, acks after the handler."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bench_ticks import line, tick
from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitQueue

broker = RabbitBroker(
    os.environ["BENCH_BROKER"],
    logger=None,  # at WARNING too it would take a third of the processor's time
    default_channel=Channel(prefetch_count=int(os.environ.get("BENCH_PREFETCH", "100"))),
)
app = FastStream(broker)


def queue(task: str) -> RabbitQueue:
    return RabbitQueue(f"bench.{task}", queue_type=QueueType.QUORUM)


@broker.subscriber(queue("noop"), ack_policy=AckPolicy.NACK_ON_ERROR)
async def noop(data: dict[str, Any]) -> None:
    tick()


@broker.subscriber(queue("wait"), ack_policy=AckPolicy.NACK_ON_ERROR)
async def wait(data: dict[str, Any]) -> None:
    await asyncio.sleep(0.1)
    tick()


@broker.subscriber(queue("stamp"), ack_policy=AckPolicy.NACK_ON_ERROR)
async def stamp(data: dict[str, Any]) -> None:
    line(str(time.time() - data["sent"]))


@asynccontextmanager
async def connected() -> AsyncIterator[None]:
    """Messages can be sent inside."""
    async with broker:
        for task in ("noop", "wait", "stamp"):
            await broker.declare_queue(queue(task))
        yield


async def send(task: str, data: dict[str, Any]) -> None:
    """Publishes a message."""
    await broker.publish(data, f"bench.{task}", persist=True)
