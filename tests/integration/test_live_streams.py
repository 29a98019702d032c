"""Live streams on a real Redis: other processes, restarts, and what the web process does."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from integration.apps import wait_until
from unit.run.stream_apps import join, receive, serving

from motia_celery.settings import load_settings
from motia_celery.stores.embedded import EmbeddedServer
from motia_celery.stores.redis import connect
from motia_celery.stores.streams import RedisStreams


async def _store(url: str, prefix: str) -> AsyncIterator[RedisStreams]:
    client = connect(load_settings(environ={}, redis_url=url))
    yield RedisStreams(client, prefix)
    await client.aclose()


@pytest.fixture
async def streams(redis_url: str, name_prefix: str) -> AsyncIterator[RedisStreams]:
    async for store in _store(redis_url, name_prefix):
        yield store


@pytest.fixture
async def private_streams(
    private_redis: EmbeddedServer, name_prefix: str
) -> AsyncIterator[RedisStreams]:
    async for store in _store(private_redis.url, name_prefix):
        yield store


async def test_two_web_processes_tell_the_same(
    streams: RedisStreams, redis_url: str, name_prefix: str
) -> None:
    async for other in _store(redis_url, name_prefix):
        async with serving(store=streams) as one, serving(store=other) as two:
            async with one.connect() as first, two.connect() as second:
                for client in (first, second):
                    await client.send(join("todo", "g"))
                    await receive(client)
                for store in (streams, other):
                    await store.set("todo", "g", "1", {"n": 1})
                    await store.delete("todo", "g", "1")
                told = [await receive(client, 4) for client in (first, second)]
        assert [m["event"] for m in told[0]] == [m["event"] for m in told[1]]
        assert [m["timestamp"] for m in told[0]] == [m["timestamp"] for m in told[1]]


def killed(server: EmbeddedServer) -> None:
    """``kill -9``, which leaves no time to say goodbye."""
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: not server.running, "Redis is gone")


async def next_update(client: Any) -> Any:
    """The next update; a reconnect may bring a snapshot again before it."""
    while (message := (await receive(client))[0])["event"]["type"] == "sync":
        pass
    return message


@pytest.mark.parametrize("end", [EmbeddedServer.stop, killed])
async def test_sockets_outlive_redis_and_get_a_new_snapshot(
    private_streams: RedisStreams,
    private_redis: EmbeddedServer,
    end: Callable[[EmbeddedServer], None],
) -> None:
    async with serving(store=private_streams) as web, web.connect() as client:
        await private_streams.set("todo", "g", "1", {"n": 1})
        await client.send(join("todo", "g"))
        await client.send(join("todo", "g", "1", name="s2"))
        await receive(client, 2)
        await asyncio.to_thread(end, private_redis)
        # Joins in the meantime wait; they are not refused.
        await client.send(join("todo", "h", name="s3"))
        await asyncio.to_thread(private_redis.start)
        told: list[Any] = []
        while len({(m["groupId"], m.get("id")) for m in told}) < 3:
            told += await receive(client)
        await client.send(join("nowhere", "g", name="s4"))
        while told[-1]["streamName"] != "nowhere":
            told += await receive(client)
        await receive(client)
        await private_streams.set("todo", "g", "1", {"n": 2})
        update = await next_update(client)
    syncs = {(m["groupId"], m.get("id")): m["event"] for m in told[:-1]}
    assert syncs == {
        ("g", None): {"type": "sync", "data": [{"n": 1, "id": "1"}]},
        ("g", "1"): {"type": "sync", "data": {"n": 1, "id": "1"}},
        ("h", None): {"type": "sync", "data": []},
    }
    assert update["event"] == {"type": "update", "data": {"n": 2, "id": "1"}}
    assert update["timestamp"] > max(m["timestamp"] for m in told[:-1])


async def test_a_reader_of_events_comes_back_through_another_process(
    streams: RedisStreams, redis_url: str, name_prefix: str
) -> None:
    async def read(web: Any, last: str | None, count: int) -> list[str]:
        headers = {"last-event-id": last} if last else {}
        lines: list[str] = []
        async with httpx.AsyncClient(timeout=60) as http:
            url = f"{web.http}/__motia/streams/todo/g"
            async with http.stream("GET", url, headers=headers) as response:
                async for line in response.aiter_lines():
                    lines += [line] if line.startswith(("id", "data")) else []
                    if len(lines) == 2 * count:
                        return lines
        raise AssertionError(lines)

    async for other in _store(redis_url, name_prefix):
        async with serving(store=streams) as one, serving(store=other) as two:
            await streams.set("todo", "g", "1", {"n": 1})
            id, _ = await read(one, None, 1)
            for n in (2, 3):
                await streams.set("todo", "g", "1", {"n": n})
            missed = await read(two, id.partition(": ")[2], 2)
    assert ['"n":2' in missed[1], '"n":3' in missed[3]] == [True, True]
