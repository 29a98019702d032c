import asyncio
import time
from typing import Any

from bench_ticks import PAUSE_SECONDS, PAYLOAD

config = {"type": "event", "name": "stamper", "subscribes": ["stamper"], "emits": ["stamp"]}


async def handler(data: Any, context: Any) -> None:
    for _ in range(data["count"]):
        await context.emit(topic="stamp", data={**PAYLOAD, "sent": time.time()})
        await asyncio.sleep(PAUSE_SECONDS)
