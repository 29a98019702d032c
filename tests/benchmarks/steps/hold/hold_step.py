import asyncio
from typing import Any

from bench_ticks import tick

config = {"type": "event", "name": "hold", "subscribes": ["hold"], "emits": []}


async def handler(data: Any, context: Any) -> None:
    tick()
    await asyncio.sleep(5)
    tick()
