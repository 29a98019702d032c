"""State on the link of an event loop, on a real Valkey or Redis."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import redis
from unit.stores.state_contract import StateContract

from motia_celery.errors import StateValueError, StoreUnavailableError
from motia_celery.settings import load_settings
from motia_celery.stores import link
from motia_celery.stores.direct_state import DirectState
from motia_celery.stores.embedded import EmbeddedServer
from motia_celery.stores.redis import AsyncClient, connect
from motia_celery.stores.state import RedisState


class LinkedState(RedisState):
    """State whose values are read and stored on the link, without another way."""

    def __init__(self, client: AsyncClient, prefix: str) -> None:
        super().__init__(client, prefix)
        self.direct = DirectState(RedisState(client, prefix), client)

    async def get(self, group: str, key: str) -> Any | None:
        """The value, or None."""
        await self.is_linked()
        begun = self.direct.get(group, key, lambda value: value)
        return await (begun or super().get(group, key))

    async def set(
        self, group: str, key: str, value: Any, *, ttl_seconds: float | None = None
    ) -> Any:
        """Keep ``value`` and return it."""
        await self.is_linked()
        begun = self.direct.set(group, key, value, ttl_seconds, None)
        return await (begun or super().set(group, key, value, ttl_seconds=ttl_seconds))

    async def is_linked(self) -> None:
        """Returns once there is a link."""
        loop = asyncio.get_running_loop()
        while self.direct._links.of(loop) is None:
            await asyncio.sleep(0.01)


@pytest.fixture
async def make_state(name_prefix: str) -> AsyncIterator[Callable[[str], LinkedState]]:
    """Makes state on the server of a URL."""
    made: list[tuple[LinkedState, AsyncClient]] = []

    def make(url: str) -> LinkedState:
        client = connect(load_settings(environ={}, redis_url=url, prefix=name_prefix))
        made.append((LinkedState(client, name_prefix), client))
        return made[-1][0]

    yield make
    for state, client in made:
        state.direct.close()
        await client.aclose()


class TestDirectState(StateContract):
    """The shared rules, and what a link adds."""

    @pytest.fixture
    def state(self, make_state: Callable[[str], LinkedState], redis_url: str) -> LinkedState:
        """An empty store."""
        return make_state(redis_url)

    async def test_calls_of_one_turn_are_done_in_their_order(self, state: LinkedState) -> None:
        await state.is_linked()
        kept: list[int] = []
        begun = [
            state.direct.set("g", "k", n, None, lambda n=n: kept.append(n)) for n in range(500)
        ]
        last = state.direct.get("g", "k", lambda value: {"is": value})
        assert await asyncio.gather(*begun, last) == [*range(500), {"is": 499}]
        assert kept == list(range(500))

    async def test_what_has_no_json_form_is_told_as_ever(self, state: LinkedState) -> None:
        await state.is_linked()
        assert state.direct.set("g", "k", {1, 2}, None, None) is None
        assert state.direct.set("g", None, 1, None, None) is None  # type: ignore[arg-type]
        with pytest.raises(StateValueError):
            await state.set("g", "k", {1, 2})

    async def test_what_another_program_wrote_is_told(
        self, state: LinkedState, redis_url: str, name_prefix: str
    ) -> None:
        with redis.Redis.from_url(redis_url) as client:
            client.hset(f"{name_prefix}:state:g", "k", "{")
        with pytest.raises(StateValueError, match="not JSON"):
            await state.get("g", "k")

    async def test_scripts_that_the_server_has_forgotten_are_loaded(
        self, state: LinkedState, redis_url: str
    ) -> None:
        with redis.Redis.from_url(redis_url) as client:
            client.script_flush()
        await state.set("g", "k", 1)
        assert await state.get("g", "k") == 1

    async def test_a_connection_that_breaks_loses_no_call(
        self, state: LinkedState, redis_url: str
    ) -> None:
        await state.set("g", "0", 0)
        with redis.Redis.from_url(redis_url) as client:
            for n in range(1, 20):
                await state.is_linked()
                stored = state.direct.set("g", str(n), n, None, None)
                assert stored is not None
                client.client_kill_filter(_type="normal", skipme=True)
                assert await stored == n
        assert len(await state.items("g")) == 20

    async def test_who_was_cancelled_leaves_the_answers_of_others_alone(
        self, state: LinkedState
    ) -> None:
        await state.is_linked()
        gone = state.direct.set("g", "gone", 1, None, None)
        after = state.direct.get("g", "gone", lambda value: value)
        assert gone is not None
        assert after is not None
        gone.cancel()
        assert await after == 1


async def test_a_server_that_does_not_answer_is_asked_again(
    make_state: Callable[[str], LinkedState],
    private_redis: EmbeddedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(link, "LOOK_SECONDS", 0.1)
    state = make_state(private_redis.url)
    await state.set("g", "k", 1)
    used = state.direct._links._link
    assert used is not None
    os.kill(private_redis.pid, signal.SIGSTOP)
    try:
        begun = state.direct.get("g", "k", lambda value: value)
        assert begun is not None
        while not used.is_over:
            await asyncio.sleep(0.05)
        assert not begun.done()
    finally:
        os.kill(private_redis.pid, signal.SIGCONT)
    assert await begun == 1


async def test_a_server_that_went_away_is_told_and_found_again(
    make_state: Callable[[str], LinkedState], private_redis: EmbeddedServer
) -> None:
    state = make_state(private_redis.url)
    await state.set("g", "k", 1)
    private_redis.stop()
    begun = state.direct.get("g", "k", lambda value: value)
    with pytest.raises(StoreUnavailableError):
        await (begun or RedisState.get(state, "g", "k"))
    private_redis.start()
    assert await RedisState.set(state, "g", "k", 2) == 2
    assert await state.get("g", "k") == 2
