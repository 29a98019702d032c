"""What only a Redis and several processes show: parts of sections 5 and 6.1."""

from __future__ import annotations

from pathlib import Path

import redis.asyncio
from compat.rules import rule

from motia_celery.testing import StepTester


@rule(
    "5",
    "In Redis a value is the text `motia:state:<group>:<key>`",
    different="a group is one hash, `motia:state:<group>`, so that to read it costs the group and "
    "not the whole database; `motia-celery state import` takes values over",
)
@rule(
    "6.1",
    "In Redis a group of a stream is the hash `motia:stream:<stream>:group:<group>`",
    different="it is `motia:stream:<stream>:<group>`, with the order and the version of each item",
)
@rule(
    "6.1",
    "A change is told to the clients of the process that makes it",
    better="and to those of every other process; here a worker makes it",
)
@rule("5", "What one process stores is there for all others")
async def test_redis_holds_groups(project: Path, redis_url: str) -> None:
    async with StepTester(project, redis_url=redis_url) as app:
        async with app.join("notes", "all") as client:
            await app.emit("keep", {"id": "7", "total": 5})
            assert await client.until(bool) == [{"id": "7", "text": "kept"}]
        await app.settle()
        assert (await app.client.get("/orders")).json() == [{"total": 5}]
        async with redis.asyncio.Redis.from_url(redis_url) as server:
            (state,) = await server.keys("*:state:orders")
            (stream,) = await server.keys("*:stream:notes:all")
            assert await server.hkeys(state) == await server.hkeys(stream) == [b"7"]
