"""One connection to Redis that all calls of an event loop share.

redis-py opens it (address, login, TLS); from then on the commands of one turn of the loop go out
in one write, and each answer settles a call: no task, no pool and no lock for any of them.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import hiredis
from redis.exceptions import RedisError

if TYPE_CHECKING:
    import redis.asyncio

#: Gets the answer, or an error: the server's, or that there will be no answer.
Settle = Callable[[Any], None]

ANSWER_SECONDS: Final = 5.0
REOPEN_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 1.0
_NOTHING: Final = object()


class LostError(Exception):
    """The connection ended before the answer."""


class Link(asyncio.Protocol):
    """An open connection. All methods are the loop's own."""

    def __init__(self, connection: Any) -> None:
        # It is taken, so that the connection does not end it when it is forgotten, and kept, as a
        # writer does the same.
        self._writer, connection._writer = connection._writer, None
        self._transport: Any = self._writer.transport
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(notEnoughData=_NOTHING)
        self._out: list[bytes] = []
        self._waiting: deque[Settle] = deque()
        self._heard = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._takes = not self._transport.is_closing()
        self._transport.set_protocol(self)

    def takes_calls_of(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether this loop may call it now; while the server reads too slowly nobody may."""
        return self._takes and self._loop is loop

    def call(self, arguments: tuple[Any, ...], settle: Settle) -> None:
        """Sends a command at the end of this turn of the loop."""
        if not self._out:
            self._loop.call_soon(self._flush)
        if self._watch is None:
            self._heard = time.monotonic()
            self._watch = self._loop.call_later(LOOK_SECONDS, self._look)
        self._out.append(hiredis.pack_command(arguments))
        self._waiting.append(settle)

    def close(self) -> None:
        """Ends the connection; who waits is told."""
        self._transport.close()
        self._end()

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return bool(self._transport.is_closing())

    def _flush(self) -> None:
        if not self.is_over:
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def _look(self) -> None:
        """Gives up on a server that does not answer."""
        self._watch = None
        if not self._waiting:
            return
        if time.monotonic() - self._heard > ANSWER_SECONDS:
            self._transport.abort()
            self._end()
        else:
            self._watch = self._loop.call_later(LOOK_SECONDS, self._look)

    def _end(self) -> None:
        self._takes = False
        waiting, self._waiting = self._waiting, deque()
        for settle in waiting:
            settle(LostError())

    # What the transport calls

    def data_received(self, data: bytes) -> None:
        """Settles the calls that are answered."""
        self._heard = time.monotonic()
        self._reader.feed(data)
        while self._waiting and (answer := self._reader.gets()) is not _NOTHING:
            self._waiting.popleft()(answer)

    def pause_writing(self) -> None:
        """The server does not read what it is sent."""
        self._takes = False

    def resume_writing(self) -> None:
        """It does again."""
        self._takes = not self.is_over

    def connection_lost(self, _: Exception | None) -> None:
        """Tells who waits."""
        self._end()


class Links:
    """The link of one event loop, opened when it is first asked for, and again after its end."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._pool = client.connection_pool
        self._link: Link | None = None
        self._opening: asyncio.Task[None] | None = None
        self._not_before = 0.0

    def of(self, loop: asyncio.AbstractEventLoop) -> Link | None:
        """The link that this loop may call now; without one, it is soon opened."""
        link = self._link
        if link is not None and link.takes_calls_of(loop):
            return link
        if (link is None or link.is_over) and time.monotonic() >= self._not_before:
            self._not_before = time.monotonic() + REOPEN_SECONDS
            self._opening = loop.create_task(self._open())
        return None

    def close(self) -> None:
        """Ends the link."""
        self._not_before = float("inf")
        if self._opening is not None:
            self._opening.cancel()
        if self._link is not None:
            self._link.close()

    async def _open(self) -> None:
        connection: Any = self._pool.connection_class(**self._pool.connection_kwargs)
        # Why it can not be reached is told by the calls, which go by redis-py meanwhile.
        with suppress(RedisError, OSError):
            await connection.connect()
            self._link = Link(connection)
