from typing import Any

from bench_ticks import PAYLOAD, tick

config = {"type": "event", "name": "emit", "subscribes": ["emit"], "emits": []}


async def handler(data: Any, context: Any) -> None:
    for _ in range(data["count"]):
        await context.emit(topic="sink", data=PAYLOAD)
        tick()
