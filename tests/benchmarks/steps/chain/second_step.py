from typing import Any

from bench_ticks import done

config = {"type": "event", "name": "second", "subscribes": ["second"], "emits": []}


async def handler(data: Any, context: Any) -> None:
    done(data["id"])
