import time
from typing import Any

from bench_ticks import line

config = {"type": "event", "name": "stamp", "subscribes": ["stamp"], "emits": []}


async def handler(data: Any, context: Any) -> None:
    line(str(time.time() - data["sent"]))
