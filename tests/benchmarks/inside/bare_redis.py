"""What ``steps/state`` does, with redis-py alone: ``bare_redis.py COUNT TASKS``."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import orjson
import redis.asyncio
import uvloop
from bench_ticks import PAYLOAD, tick


async def main(count: int, tasks: int) -> None:
    """Sets and gets, in so many tasks at once."""
    client = redis.asyncio.Redis.from_url(os.environ["BENCH_REDIS"])
    await asyncio.gather(*(one(client, str(task), count // tasks) for task in range(tasks)))
    await asyncio.sleep(600)


async def one(client: Any, task: str, count: int) -> None:
    for number in range(count):
        await client.hset(f"bare-{task}", str(number % 100), orjson.dumps(PAYLOAD))
        orjson.loads(await client.hget(f"bare-{task}", str(number % 100)))
        tick()


uvloop.run(main(*map(int, sys.argv[1:])))
