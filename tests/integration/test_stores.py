"""The stores on a real Valkey or Redis."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import redis
import redis.exceptions
from unit.stores.change_contract import ChangeContract, Fixed
from unit.stores.state_contract import StateContract

from motia_celery.errors import StateValueError, StoreUnavailableError
from motia_celery.settings import Settings, load_settings
from motia_celery.stores.delayed import DelayedMessages
from motia_celery.stores.embedded import EmbeddedServer
from motia_celery.stores.outbox import outbox_name
from motia_celery.stores.redis import connect, connect_sync, ping, ping_sync, server_facts
from motia_celery.stores.state import RedisState
from motia_celery.stores.streams import RedisStreams

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(redis_url: str, name_prefix: str) -> Settings:
    """Settings for an empty database."""
    return load_settings(environ={}, redis_url=redis_url, prefix=name_prefix)


@pytest.fixture
def client(settings: Settings) -> Iterator[Any]:
    """A client for threads."""
    client = connect_sync(settings)
    yield client
    client.close()


@pytest.fixture
async def loop_client(settings: Settings) -> AsyncIterator[Any]:
    """A client for this test's event loop."""
    client = connect(settings)
    yield client
    await client.aclose()


class TestRedisState(StateContract):
    """The shared rules, and what only Redis has."""

    @pytest.fixture
    def state(self, loop_client: Any, name_prefix: str) -> RedisState:
        """An empty store."""
        return RedisState(loop_client, name_prefix)

    async def test_prefixes_do_not_meet(self, state: RedisState, loop_client: Any) -> None:
        other = RedisState(loop_client, "other")
        await other.set("g", "k", "theirs")
        await state.set("g", "k", "ours")
        await state.clear("g")
        assert await other.items("g") == {"k": "theirs"}
        await other.clear("g")

    async def test_nothing_is_left_in_redis_by_empty_groups(
        self, state: RedisState, loop_client: Any, name_prefix: str
    ) -> None:
        await state.set("g", "k", 1)
        await state.set("h", "k", 1)
        await state.delete("g", "k")
        await state.clear("h")
        assert [key async for key in loop_client.scan_iter(match=f"{name_prefix}*")] == []

    async def test_what_another_program_wrote_is_named(
        self, state: RedisState, loop_client: Any, name_prefix: str
    ) -> None:
        await loop_client.hset(f"{name_prefix}:state:g", "k", b"\x80")
        with pytest.raises(StateValueError, match="state 'g' / 'k'"):
            await state.get("g", "k")

    async def test_nothing_is_left_in_redis_of_what_expired(
        self, state: RedisState, loop_client: Any, name_prefix: str
    ) -> None:
        """A later key with a life sweeps those away that nobody asks for."""
        for number in range(5):
            await state.set(f"g{number}", "k", 1, ttl_seconds=0.05)

        async def left() -> set[bytes]:
            await state.set("other", "k", 1, ttl_seconds=1000)
            return {key async for key in loop_client.scan_iter(match=f"{name_prefix}*")}

        async with asyncio.timeout(60):
            while len(await left()) > 4:
                await asyncio.sleep(0.01)
        await state.clear("other")
        assert [key async for key in loop_client.scan_iter(match=f"{name_prefix}*")] == []

    async def test_updates_of_several_processes_are_all_counted(
        self, state: RedisState, settings: Settings
    ) -> None:
        """The second store knows nothing of the first one's turns."""
        clients = [connect(settings) for _ in range(3)]
        stores = [RedisState(client, settings.prefix) for client in clients]
        operation = [{"type": "increment", "path": "n", "by": 1}]
        updates = (store.update("g", "k", operation) for store in stores for _ in range(100))
        await asyncio.gather(*updates)
        assert await state.get("g", "k") == {"n": 300}
        for client in clients:
            await client.aclose()

    async def test_scripts_are_sent_again_to_a_server_that_lost_them(
        self, state: RedisState, loop_client: Any
    ) -> None:
        await state.delete("g", "k")
        await loop_client.script_flush()
        await state.set("g", "k", 1)
        assert await state.delete("g", "k") == 1


class TestClients:
    """Connections come back by themselves, and faults are named."""

    async def test_many_callers_share_few_connections(
        self, private_redis: EmbeddedServer, name_prefix: str
    ) -> None:
        url = private_redis.url
        client = connect(load_settings(environ={}, redis_url=url, redis_max_connections=2))
        state = RedisState(client, name_prefix)
        await asyncio.gather(*(state.set("g", f"{n}", n) for n in range(200)))
        assert len(await state.get_group("g")) == 200
        assert len(await client.client_list()) == 2
        await client.aclose()

    async def test_a_client_survives_a_restart_of_its_server(
        self, private_redis: EmbeddedServer
    ) -> None:
        """The broken connection is not the caller's problem; the data is still there."""
        settings = load_settings(environ={}, redis_url=private_redis.url)
        one, other = connect(settings), connect_sync(settings)
        await one.set("kept", "1")
        ping_sync(other)
        private_redis.stop()
        with pytest.raises(StoreUnavailableError, match=f":{private_redis.port}/0"):
            await ping(one)
        private_redis.start()
        await ping(one)
        assert await one.get("kept") == b"1"
        ping_sync(other)
        await one.aclose()
        other.close()

    def test_a_wrong_password_is_named_and_not_shown(self, private_redis: EmbeddedServer) -> None:
        url = f"redis://:wrongsecret@127.0.0.1:{private_redis.port}/0"
        with pytest.raises(StoreUnavailableError) as caught:
            server_facts(load_settings(environ={}, redis_url=url))
        assert "password" in str(caught.value)
        assert "wrongsecret" not in str(caught.value)

    def test_the_server_says_what_it_is(self, private_redis: EmbeddedServer) -> None:
        facts = server_facts(load_settings(environ={}, redis_url=private_redis.url))
        assert facts.software in {"valkey", "redis"}
        assert int(facts.version.split(".")[0]) >= 6
        assert facts.maxmemory_policy == "noeviction"
        assert facts.connected_clients

    def test_a_server_that_keeps_its_policy_to_itself_is_still_known(
        self, private_redis: EmbeddedServer
    ) -> None:
        """Hosted servers forbid CONFIG to their users, and some forbid parts of INFO."""
        with redis.Redis.from_url(private_redis.url) as admin:
            admin.execute_command(
                "ACL", "SETUSER", "tenant", "on", ">pw", "~*", "+@all", "-config"
            )  # fmt: skip
        url = f"redis://tenant:pw@127.0.0.1:{private_redis.port}/0"
        assert server_facts(load_settings(environ={}, redis_url=url)).maxmemory_policy


class TestDelayedMessages:
    """Held until due, published at least once."""

    @pytest.fixture
    def delayed(self, client: Any, name_prefix: str) -> DelayedMessages:
        """Nothing held."""
        return DelayedMessages(client, name_prefix)

    def test_only_what_is_due_is_claimed_earliest_first(self, delayed: DelayedMessages) -> None:
        for name, due in [("c", 30.5), ("b", 20.0), ("a", 10.25)]:
            delayed.add(name, name.encode() + b"\x00\xff", due)
        assert delayed.next_due() == 10.25
        assert delayed.claim(20.0, 5, 10) == [("a", b"a\x00\xff"), ("b", b"b\x00\xff")]
        assert delayed.count() == 3

    def test_a_claim_takes_no_more_than_its_limit(self, delayed: DelayedMessages) -> None:
        for number in range(5):
            delayed.add(f"{number}", b"", number)
        assert [name for name, _ in delayed.claim(9, 60, 2)] == ["0", "1"]
        assert [name for name, _ in delayed.claim(9, 60, 9)] == ["2", "3", "4"]

    def test_a_claimed_message_is_nobody_elses(
        self, delayed: DelayedMessages, client: Any, name_prefix: str
    ) -> None:
        delayed.add("a", b"1", 1)
        assert delayed.claim(2, 30, 10)
        assert DelayedMessages(client, name_prefix).claim(3, 30, 10) == []

    def test_done_forgets_it(self, delayed: DelayedMessages, client: Any, name_prefix: str) -> None:
        delayed.add("a", b"1", 1)
        delayed.claim(2, 30, 10)
        delayed.done("a")
        delayed.done("a")
        assert (delayed.count(), delayed.next_due()) == (0, None)
        assert client.keys(f"{name_prefix}*") == []

    def test_adding_it_again_replaces_it(self, delayed: DelayedMessages) -> None:
        delayed.add("a", b"1", 1)
        delayed.add("a", b"2", 5)
        assert delayed.claim(4, 1, 10) == []
        assert delayed.claim(5, 1, 10) == [("a", b"2")]

    def test_what_is_added_while_claimed_is_not_lost_by_done(
        self, delayed: DelayedMessages
    ) -> None:
        """A retry may fail and be held again before its first publisher says that it is done."""
        delayed.add("a", b"attempt 1", 1)
        delayed.claim(2, 30, 10)
        delayed.add("a", b"attempt 2", 50)
        delayed.done("a")
        assert delayed.claim(50, 30, 10) == [("a", b"attempt 2")]

    def test_a_late_claimer_does_not_end_the_claim_of_the_next(
        self, delayed: DelayedMessages, client: Any, name_prefix: str
    ) -> None:
        other = DelayedMessages(client, name_prefix)
        delayed.add("a", b"1", 1)
        delayed.claim(2, 10, 10)
        assert other.claim(13, 10, 10)
        delayed.done("a")
        assert delayed.count() == 1
        other.done("a")
        assert delayed.count() == 0

    def test_claimers_at_once_share_out_the_messages(
        self, settings: Settings, delayed: DelayedMessages
    ) -> None:
        for number in range(200):
            delayed.add(f"{number}", b"", number)
        claimers = [
            subprocess.Popen(
                [sys.executable, "-c", CLAIMER, settings.redis, settings.prefix, "all"],
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
            )
            for _ in range(2)
        ]
        names = [name for claimer in claimers for name in claimer.communicate()[0].split()]
        assert sorted(map(int, names)) == list(range(200))

    def test_what_a_dead_claimer_held_comes_back(
        self, settings: Settings, delayed: DelayedMessages
    ) -> None:
        """A claimer that is killed before it is done loses nothing."""
        delayed.add("a", b"1", 1)
        claimer = subprocess.Popen(
            [sys.executable, "-c", CLAIMER, settings.redis, settings.prefix, "hang"],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        assert claimer.stdout is not None
        assert claimer.stdout.readline().strip() == "a"
        claimer.kill()
        claimer.communicate()
        assert delayed.claim(1000 + 29, 30, 10) == []
        assert delayed.next_due() == 1000 + 30
        assert delayed.claim(1000 + 30, 30, 10) == [("a", b"1")]


CLAIMER = """
import sys, time
from motia_celery.settings import load_settings
from motia_celery.stores.delayed import DelayedMessages
from motia_celery.stores.redis import connect_sync

url, prefix, mode = sys.argv[1:]
delayed = DelayedMessages(connect_sync(load_settings(environ={}, redis_url=url)), prefix)
while claimed := delayed.claim(1000, 30, 7):
    for name, _ in claimed:
        print(name, flush=True)
        if mode == "hang":
            time.sleep(60)
        delayed.done(name)
"""

STARTER = """
import sys, time
from pathlib import Path
from motia_celery.stores.embedded import EmbeddedServer

with EmbeddedServer(Path(sys.argv[1])) as server:
    print(server.url, server.pid, flush=True)
    time.sleep(60)
"""


class TestEmbeddedServer:
    """The embedded default keeps what is written, to itself."""

    def test_it_keeps_what_was_written_over_a_restart(self, tmp_path: Path) -> None:
        folder = tmp_path / "a folder" / "valkey"
        with EmbeddedServer(folder) as first, redis.Redis.from_url(first.url) as client:
            client.set("kept", "1")
        assert not first.running
        with EmbeddedServer(folder) as server, redis.Redis.from_url(server.url) as client:
            assert client.get("kept") == b"1"

    def test_one_that_crashed_starts_again_under_the_same_url(
        self, private_redis: EmbeddedServer
    ) -> None:
        """Other processes hold the URL."""
        url = private_redis.url
        os.kill(private_redis.pid, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while private_redis.running:
            assert time.monotonic() < deadline
        private_redis.start()
        with redis.Redis.from_url(url) as client:
            assert client.ping()

    def test_it_runs_as_documented(self, private_redis: EmbeddedServer) -> None:
        with redis.Redis.from_url(private_redis.url) as client:
            for name, value in {
                "appendonly": "yes",
                "appendfsync": "everysec",
                "maxmemory-policy": "noeviction",
                "bind": "127.0.0.1",
            }.items():
                assert client.config_get(name)[name] == value

    def test_nobody_gets_in_without_the_password(self, private_redis: EmbeddedServer) -> None:
        """It is in no process listing, and no file that others may read."""
        with redis.Redis(port=private_redis.port, retry=None) as stranger:
            with pytest.raises(redis.exceptions.AuthenticationError):
                stranger.ping()
        password = private_redis.url.split(":")[2].split("@")[0]
        assert password not in " ".join(psutil.Process(private_redis.pid).cmdline())
        folder = private_redis.log_file.parent
        assert folder.stat().st_mode & 0o077 == 0
        holding = [f for f in folder.iterdir() if f.is_file() and password in f.read_text()]
        assert [(f.name, f.stat().st_mode & 0o077) for f in holding] == [("server.json", 0)]

    def test_ctrl_c_in_the_terminal_does_not_reach_it(self, private_redis: EmbeddedServer) -> None:
        assert os.getpgid(private_redis.pid) == private_redis.pid != os.getpgrp()

    def test_two_processes_can_not_share_a_directory(self, tmp_path: Path) -> None:
        with EmbeddedServer(tmp_path):
            with pytest.raises(StoreUnavailableError, match=f"pid {os.getpid()}"):
                EmbeddedServer(tmp_path).start()

    def test_one_whose_starter_was_killed_is_taken_over(self, tmp_path: Path) -> None:
        """Its data too."""
        starter = subprocess.Popen(
            [sys.executable, "-c", STARTER, tmp_path],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        assert starter.stdout is not None
        url, pid = starter.stdout.readline().split()
        with redis.Redis.from_url(url) as client:
            client.set("kept", "1")
        starter.send_signal(signal.SIGKILL)
        starter.communicate()
        assert psutil.pid_exists(int(pid))
        with EmbeddedServer(tmp_path) as server, redis.Redis.from_url(server.url) as client:
            assert client.get("kept") == b"1"
            assert not is_alive(int(pid))

    def test_a_record_of_another_process_harms_nobody(self, tmp_path: Path) -> None:
        """The pid of a server long gone may belong to anything now."""
        bystander = subprocess.Popen(["sleep", "60"])
        (tmp_path / "server.json").write_text(f'{{"pid":{bystander.pid},"created":1.0,"port":1}}')
        with EmbeddedServer(tmp_path):
            assert bystander.poll() is None
        bystander.kill()
        bystander.wait()

    def test_a_broken_record_is_no_obstacle(self, tmp_path: Path) -> None:
        (tmp_path / "server.json").write_text("{")
        with EmbeddedServer(tmp_path) as server:
            assert server.running

    def test_one_that_can_not_start_says_why(self, tmp_path: Path) -> None:
        server = EmbeddedServer(tmp_path, options={"no-such-setting": "1"})
        with pytest.raises(StoreUnavailableError, match="no-such-setting"):
            server.start()
        with EmbeddedServer(tmp_path) as after:
            assert after.running

    def test_a_taken_port_is_named(self, private_redis: EmbeddedServer, tmp_path: Path) -> None:
        with pytest.raises(StoreUnavailableError, match="in use"):
            EmbeddedServer(tmp_path, port=private_redis.port).start()

    def test_one_that_hangs_is_killed(self, tmp_path: Path) -> None:
        server = EmbeddedServer(tmp_path)
        server.start()
        pid = server.pid
        os.kill(pid, signal.SIGSTOP)
        started = time.monotonic()
        server.stop(timeout=0.3)
        assert time.monotonic() - started < 30
        assert not is_alive(pid)


def is_alive(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class TestChanges(ChangeContract):
    """What is told of changes, in one step with them."""

    @pytest.fixture
    def teller(self, name_prefix: str) -> Fixed:
        return Fixed(outbox_name(name_prefix))

    @pytest.fixture
    def state(self, loop_client: Any, name_prefix: str) -> RedisState:
        """An empty store."""
        return RedisState(loop_client, name_prefix)

    @pytest.fixture
    def streams(self, loop_client: Any, name_prefix: str) -> RedisStreams:
        """An empty store."""
        return RedisStreams(loop_client, name_prefix)

    @pytest.fixture
    def heard(self, loop_client: Any, name_prefix: str) -> Any:
        async def heard() -> list[tuple[str, Any]]:
            found = await loop_client.xrange(outbox_name(name_prefix))
            return [(e[b"emitter"].decode(), json.loads(e[b"body"])) for _, e in found]

        return heard
