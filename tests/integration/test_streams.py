"""Streams on a real Valkey or Redis."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from unit.stores.stream_contract import ShortLogContract, StreamContract, listening

from motia_celery.errors import StateValueError
from motia_celery.settings import Settings, load_settings
from motia_celery.stores import subscription
from motia_celery.stores.redis import connect
from motia_celery.stores.streams import RedisStreams

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from motia_celery.stores.embedded import EmbeddedServer


@pytest.fixture
def settings(redis_url: str, name_prefix: str) -> Settings:
    """Settings for an empty database."""
    return load_settings(environ={}, redis_url=redis_url, prefix=name_prefix)


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Any]:
    """A client for this test's event loop."""
    client = connect(settings)
    yield client
    await client.aclose()


def database(client: Any) -> int:
    """The number of the client's database."""
    return int(client.connection_pool.connection_kwargs.get("db") or 0)


class TestShortLog(ShortLogContract):
    """What is dropped."""

    @pytest.fixture
    def streams(self, client: Any, name_prefix: str) -> RedisStreams:
        """An empty store with a short log."""
        return RedisStreams(client, name_prefix, log_length=10)

    async def test_the_log_is_short(
        self, streams: RedisStreams, client: Any, name_prefix: str
    ) -> None:
        """Redis drops whole blocks of its log, so it may hold some more."""
        for n in range(500):
            await streams.set("s", "g", "1", {"n": n})
        assert await client.xlen(f"{name_prefix}:stream-log:s:g") < 150


class TestRedisStreams(StreamContract):
    """The shared rules, and what only Redis has."""

    @pytest.fixture
    def streams(self, client: Any, name_prefix: str) -> RedisStreams:
        """An empty store."""
        return RedisStreams(client, name_prefix)

    async def test_another_process_hears_of_every_change(
        self, streams: RedisStreams, settings: Settings
    ) -> None:
        other = connect(settings)
        async with listening(RedisStreams(other, settings.prefix)) as heard:
            await streams.set("s", "g", "1", {"n": 1})
            await heard.count(1)
        assert heard.told == [("create", "1", {"n": 1, "id": "1"})]
        await other.aclose()

    async def test_updates_of_several_processes_are_all_counted(
        self, streams: RedisStreams, settings: Settings
    ) -> None:
        clients = [connect(settings) for _ in range(3)]
        stores = [RedisStreams(client, settings.prefix) for client in clients]
        operation = [{"type": "increment", "path": "n", "by": 1}]
        updates = (store.update("s", "g", "1", operation) for store in stores for _ in range(50))
        await asyncio.gather(*updates)
        assert await streams.get("s", "g", "1") == {"n": 150, "id": "1"}
        for client in clients:
            await client.aclose()

    async def test_prefixes_and_databases_do_not_meet(
        self, streams: RedisStreams, settings: Settings, client: Any
    ) -> None:
        """Channels belong to no database, so their names tell them apart."""
        elsewhere = connect(settings)
        elsewhere.connection_pool.connection_kwargs["db"] = (database(client) + 1) % 16
        others = [RedisStreams(elsewhere, settings.prefix), RedisStreams(elsewhere, "other")]
        async with listening(streams) as heard:
            for other in others:
                await other.set("s", "g", "theirs", {})
            await streams.set("s", "g", "ours", {})
            await heard.count(1)
        assert [change.id for change in heard.changes] == ["ours"]
        for other in others:
            await other.clear("s", "g")
        await elsewhere.aclose()

    async def test_after_a_restart_of_the_server_changes_come_again(
        self, private_redis: EmbeddedServer, name_prefix: str
    ) -> None:
        """A gap says that snapshots have to be read anew."""
        client = connect(load_settings(environ={}, redis_url=private_redis.url))
        streams = RedisStreams(client, name_prefix)
        async with listening(streams) as heard:
            await streams.set("s", "g", "1", {"n": 1})
            await heard.count(1)
            await asyncio.to_thread(private_redis.stop)
            await asyncio.to_thread(private_redis.start)
            await heard.until(lambda heard: heard.gaps == 2)
            await streams.set("s", "g", "1", {"n": 2})
            await heard.count(2)
        assert heard.told[1] == ("update", "1", {"n": 2, "id": "1"})
        await client.aclose()

    async def test_a_subscriber_waits_for_a_server_that_is_not_there_yet(
        self, private_redis: EmbeddedServer, name_prefix: str
    ) -> None:
        client = connect(load_settings(environ={}, redis_url=private_redis.url))
        private_redis.stop()
        changes = RedisStreams(client, name_prefix).subscribe()
        first = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0.2)
        assert not first.done()
        await asyncio.to_thread(private_redis.start)
        async with asyncio.timeout(60):
            await first
        await changes.aclose()
        await client.aclose()

    async def test_a_quiet_connection_is_kept_and_asked(
        self, streams: RedisStreams, monkeypatch: pytest.MonkeyPatch, client: Any
    ) -> None:
        monkeypatch.setattr(subscription, "SILENCE_SECONDS", 0.5)
        async with listening(streams) as heard:
            before = (await client.info("commandstats")).get("cmdstat_ping", {"calls": 0})["calls"]

            async def pings() -> int:
                return int((await client.info("commandstats"))["cmdstat_ping"]["calls"])

            async with asyncio.timeout(60):
                while await pings() < before + 2:
                    await asyncio.sleep(0.02)
            await streams.set("s", "g", "1", {})
            await heard.count(1)
        assert heard.gaps == 1

    async def test_what_is_no_change_is_passed_over(
        self, streams: RedisStreams, client: Any, name_prefix: str
    ) -> None:
        channel = f"{name_prefix}:stream-changes:{database(client)}"
        async with listening(streams) as heard:
            assert await client.publish(channel, "hello") == 1
            await client.publish(channel, "{}")
            await streams.set("s", "g", "1", {})
            await heard.count(1)

    async def test_versions_rise_on_when_redis_lost_its_data(
        self, streams: RedisStreams, client: Any, name_prefix: str
    ) -> None:
        """So a client that knows an old one gets a fresh snapshot, not silence."""
        await streams.set("s", "g", "1", {})
        before = (await streams.snapshot("s", "g")).version
        for key in [key async for key in client.scan_iter(match=f"{name_prefix}*")]:
            await client.delete(key)
        assert await streams.changes_since("s", "g", before) is None
        await streams.set("s", "g", "1", {})
        assert (await streams.snapshot("s", "g")).version > before
        assert await streams.changes_since("s", "g", before) is None

    async def test_versions_rise_when_the_servers_clock_steps_back(
        self, streams: RedisStreams, client: Any, name_prefix: str
    ) -> None:
        await streams.set("s", "g", "1", {})
        ahead = 4_000_000_000_000_000
        await client.hset(f"{name_prefix}:stream-clock", "last", ahead)
        await streams.set("s", "g", "1", {})
        await streams.set("s", "g", "1", {})
        assert (await streams.snapshot("s", "g")).version == ahead + 2
        assert len(await streams.changes_since("s", "g", ahead) or []) == 2

    async def test_a_log_ends_with_its_life_and_nothing_else_is_left(
        self, client: Any, name_prefix: str
    ) -> None:
        streams = RedisStreams(client, name_prefix, log_seconds=0.05)
        await streams.set("s", "g", "1", {})
        version = (await streams.snapshot("s", "g")).version
        await streams.delete("s", "g", "1")
        await streams.set("s", "h", "1", {})
        await streams.clear("s", "h")
        clock = {f"{name_prefix}:stream-clock".encode()}
        async with asyncio.timeout(60):
            while {key async for key in client.scan_iter(match=f"{name_prefix}*")} != clock:
                await asyncio.sleep(0.01)
        assert await streams.changes_since("s", "g", version) is None

    async def test_what_another_program_wrote_is_named(
        self, streams: RedisStreams, client: Any, name_prefix: str
    ) -> None:
        await client.hset(f"{name_prefix}:stream:s:g", "1", b"\x80")
        with pytest.raises(StateValueError, match="stream 's', group 'g', item '1'"):
            await streams.get("s", "g", "1")
