from typing import Any

from bench_ticks import PAYLOAD, tick

config = {"type": "event", "name": "state", "subscribes": ["state"], "emits": []}


async def handler(data: Any, context: Any) -> None:
    group = f"bench-{context.run_id}"
    for number in range(data["count"]):
        await context.state.set(group, str(number % 100), PAYLOAD)
        await context.state.get(group, str(number % 100))
        tick()
