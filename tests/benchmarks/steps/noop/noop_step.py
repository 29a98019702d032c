from typing import Any

from bench_ticks import tick

config = {"type": "event", "name": "noop", "subscribes": ["noop"], "emits": []}


async def handler(data: Any, context: Any) -> None:
    tick()
