import asyncio
from typing import Any

from bench_ticks import tick

config = {"type": "event", "name": "wait", "subscribes": ["wait"], "emits": []}


async def handler(data: Any, context: Any) -> None:
    await asyncio.sleep(0.1)
    tick()
