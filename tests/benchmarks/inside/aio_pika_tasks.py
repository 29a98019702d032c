"""Bare aio-pika as a publisher: persistent messages, each confirmed."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import orjson

_exchange: aio_pika.abc.AbstractExchange | None = None


@asynccontextmanager
async def connected() -> AsyncIterator[None]:
    """Messages can be sent inside."""
    global _exchange
    connection = await aio_pika.connect(os.environ["BENCH_BROKER"])
    async with connection:
        channel = await connection.channel(publisher_confirms=True)
        await channel.declare_queue("bench", durable=True, arguments={"x-queue-type": "quorum"})
        _exchange = channel.default_exchange
        yield


async def send(task: str, data: dict[str, Any]) -> None:
    """Publishes a message, and waits for its confirm."""
    assert _exchange is not None
    message = aio_pika.Message(
        orjson.dumps(data),
        content_type="application/json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=str(uuid.uuid4()),
    )
    await _exchange.publish(message, "bench")
