"""State on the link of an event loop: what a handler does most, without a task for each call.

Only reading and storing a value go this way: where an answer is lost both can be done again, by
redis-py, and nothing is counted twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from motia_celery.errors import FrameworkError
from motia_celery.stores.link import Link, Links
from motia_celery.stores.rule import value_of

if TYPE_CHECKING:
    import redis.asyncio

    from motia_celery.stores.state import RedisState


class DirectState:
    """The values of ``state``; None from a method means that the call must go by ``state``."""

    def __init__(self, state: RedisState, client: redis.asyncio.Redis) -> None:
        self._state = state
        self._links = Links(client)
        self._again: set[asyncio.Task[None]] = set()

    def get(self, group: str, key: str, form: Callable[[Any], Any]) -> asyncio.Future[Any] | None:
        """The value, or None, as ``form`` makes it of what is stored."""
        loop = asyncio.get_running_loop()
        link = self._links.of(loop)
        if link is None:
            return None

        def read(answer: Any) -> Any:
            return form(value_of(answer, group, key))

        async def again() -> Any:
            return form(await self._state.get(group, key))

        try:
            command = self._state.get_command(group, key)
        except FrameworkError:
            return None
        return self._call(link, command, read, again)

    def set(
        self,
        group: str,
        key: str,
        value: Any,
        ttl_seconds: float | None,
        stored: Callable[[], None] | None = None,
    ) -> asyncio.Future[Any] | None:
        """Keeps the value, and gives it back; ``stored`` is called once it is there."""
        loop = asyncio.get_running_loop()
        link = self._links.of(loop)
        if link is None or value is None:
            return None
        try:
            command = self._state.set_command(group, key, value, ttl_seconds)
        except FrameworkError:
            return None

        def read(_: Any) -> Any:
            if stored is not None:
                stored()
            return value

        async def again() -> Any:
            return read(await self._state.set(group, key, value, ttl_seconds=ttl_seconds))

        return self._call(link, command, read, again)

    def close(self) -> None:
        """Ends the connection."""
        self._links.close()

    def _call(
        self,
        link: Link,
        command: tuple[Any, ...],
        read: Callable[[Any], Any],
        again: Callable[[], Awaitable[Any]],
    ) -> asyncio.Future[Any]:
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        link.call(command, partial(self._settle, done, read, again))
        return done

    def _settle(
        self,
        done: asyncio.Future[Any],
        read: Callable[[Any], Any],
        again: Callable[[], Awaitable[Any]],
        answer: Any,
    ) -> None:
        if done.done():  # who asked was cancelled
            return
        if isinstance(answer, Exception):
            task = done.get_loop().create_task(_retried(done, again))
            self._again.add(task)
            task.add_done_callback(self._again.discard)
            return
        try:
            done.set_result(read(answer))
        except FrameworkError as error:
            done.set_exception(error)


async def _retried(done: asyncio.Future[Any], again: Callable[[], Awaitable[Any]]) -> None:
    try:
        value = await again()
    except Exception as error:
        if not done.done():
            done.set_exception(error)
    else:
        if not done.done():
            done.set_result(value)
