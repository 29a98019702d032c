"""The feed of one process: gathered once for all, and only while somebody listens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from unit.workbench.benches import Counted, Kept, a_run, serving, sources_of, summary

from motia_celery.workbench import feed, watch
from motia_celery.workbench.sampling import Samples
from motia_celery.workbench.shapes.feed import LogMessage, RunMessage
from motia_celery.workbench.shapes.runs import LogLine


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SAMPLE_SECONDS", 0.02)
    monkeypatch.setattr(watch, "LINGER_SECONDS", 0.02)


async def until(condition: Callable[[], Any], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(client: httpx.AsyncClient, *wants: str) -> AsyncIterator[Callable[[], Any]]:
    """Gives what takes the next message."""
    async with client.stream("GET", "/feed", params={"want": wants}) as response:
        lines = response.aiter_lines()

        async def take() -> Any:
            async with asyncio.timeout(60):
                async for line in lines:
                    if line.startswith("data: "):
                        return json.loads(line.removeprefix("data: "))
            raise AssertionError("the feed has ended")

        yield take


async def test_nobody_is_asked_while_nobody_listens() -> None:
    depths = Counted()
    sources = sources_of(depths=depths)
    async with serving(sources) as client:
        await asyncio.sleep(0.1)
        assert depths.count == 0
        async with listening(client, "queues") as take:
            assert [(await take())["type"] for _ in range(2)] == ["reset", "queues"]
        # The client is gone, though nothing was said meanwhile.
        await until(lambda: not sources.hub._listeners)
        await asyncio.sleep(0.1)
        before = depths.count
        await asyncio.sleep(0.2)
        assert depths.count == before


async def test_only_what_changed_is_told() -> None:
    depths = Counted()
    sources = sources_of(depths=depths, samples=Samples(fresh_seconds=0))
    async with serving(sources) as client, listening(client, "queues") as take:
        first = [await take() for _ in range(3)]
        assert [message["type"] for message in first] == ["reset", "queues", "dead_letters"]
        asked = depths.count
        await until(lambda: depths.count > asked + 2)
        depths.messages = 5
        message = await take()
        assert (message["type"], message["queues"][0]["depth"]) == ("queues", 5)


async def test_many_listeners_cost_one_gathering() -> None:
    kept = Kept()
    async with serving(sources_of(records=kept)) as client:
        async with listening(client) as one, listening(client) as two, listening(client) as three:
            await until(lambda: kept.following == 1)
            kept.told.put_nowait(RunMessage(run=summary(a_run())))
            for take in (one, two, three):
                while (message := await take())["type"] != "run":
                    pass
                assert message["run"]["id"] == "r1"
            assert kept.following == 1
        await until(lambda: kept.following == 0)


async def test_lines_and_losses_of_the_records_are_told() -> None:
    kept = Kept()
    async with serving(sources_of(records=kept)) as client, listening(client, "logs") as take:
        assert (await take())["type"] == "reset"
        line = LogLine(id="1", at=1, level="warn", message="careful")
        kept.told.put_nowait(LogMessage(lines=(line,)))
        assert (await take())["lines"][0]["message"] == "careful"
        kept.told.put_nowait(None)
        assert (await take())["type"] == "reset"


async def test_a_fault_does_not_silence_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_PAUSE_SECONDS", 0.01)
    kept, changes, failures = Kept(), Kept.changes, iter([True, True])

    async def failing(self: Kept) -> AsyncIterator[Any]:
        if next(failures, False):
            raise RuntimeError("away")
        async for change in changes(self):
            yield change

    monkeypatch.setattr(Kept, "changes", failing)
    async with serving(sources_of(records=kept)) as client, listening(client, "runs") as take:
        assert (await take())["type"] == "reset"
        kept.told.put_nowait(None)
        assert (await take())["type"] == "reset"


async def test_a_quiet_feed_says_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "HEARTBEAT_SECONDS", 0.02)
    async with serving(sources_of()) as client:
        async with client.stream("GET", "/feed", params={"want": "state"}) as response:
            beats = 0
            async for line in response.aiter_lines():
                beats += line.startswith(":")
                if beats == 3:
                    return
