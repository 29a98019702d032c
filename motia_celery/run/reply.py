"""A response that is sent in parts, while its handler runs.

Each part goes to the server at once, whose buffer is the only one: a write returns when there is
room for the next.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from starlette.types import Receive, Scope, Send

from motia_celery.errors import ClientGoneError, ResponseError
from motia_celery.run.connection import CUT, HANG_UP
from motia_celery.run.responses import BODYLESS, Header, response_head

#: How long the client of a response that failed may take to read what came before.
_LAST_SECONDS = 5.0


class ClientReply:
    """The reply to one request; ``headers`` are those of every response to it."""

    status: int | None = None

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, headers: Iterable[Header], where: str = ""
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self.headers = (*headers,)
        self.where = where
        #: What is done once the response begins.
        self.on_start: Callable[[], None] = _do_nothing
        self._tell: Callable[[], None] = _do_nothing
        self._turn = asyncio.Lock()
        self._leaving: asyncio.Task[None] | None = None
        self._is_over = False
        self._is_gone = False

    @property
    def has_begun(self) -> bool:
        """Whether the status is sent."""
        return self.status is not None

    @property
    def is_gone(self) -> bool:
        """Whether the client has left."""
        return self._is_gone

    def when_gone(self, tell: Callable[[], None]) -> None:
        """Has ``tell`` called if the client leaves."""
        self._tell = tell

    async def start(self, status: int, headers: Mapping[str, Any]) -> None:
        """Sends the status and the headers.

        Raises:
            ResponseError: they can not be sent, or are sent already.
        """
        async with self._turn:
            if self.has_begun or self._is_over:
                raise ResponseError("the response has begun already.", self.where)
            head = response_head(status, headers, self.where).with_headers(self.headers)
            self.status = head.status
            self._leaving = asyncio.create_task(self._watch())
            self.on_start()
            start = {"type": "http.response.start", "status": head.status}
            await self._send({**start, "headers": [*head.headers]})

    async def write(self, chunk: bytes) -> None:
        """Sends a part of the body, and returns once there is room for the next.

        Raises:
            ClientGoneError: the client has left.
            ResponseError: the response has not begun, or has ended.
        """
        async with self._turn:
            self._check()
            if self._has_body and chunk:
                await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
                self._check()

    async def close(self) -> None:
        """Ends the response, if it is not over."""
        async with self._turn:
            if self._is_over or not self.has_begun:
                return
            self._is_over = True
            if not self._is_gone:
                await self._send({"type": "http.response.body", "body": b""})
        self._stop_watching()

    def refuse(self) -> None:
        """Takes nothing from now on: another response was given."""
        self._is_over = True

    async def cut(self) -> None:
        """Ends the connection, so that the client sees that the response is not whole.

        Raises:
            ResponseError: the server is told so by this alone.
        """
        if self._is_over:
            return
        self._is_over = True
        if not self._is_gone:
            extensions = self._scope.get("extensions") or {}
            if HANG_UP not in extensions:
                self._stop_watching()
                raise ResponseError("the response ended half-way.", self.where)
            extensions[HANG_UP]()
            await self._left(extensions.get(CUT, _do_nothing))
        self._stop_watching()

    async def _left(self, abort: Callable[[], None]) -> None:
        """Returns once the connection is closed; a client that does not read is cut off."""
        if self._leaving is None:
            return
        await asyncio.wait({self._leaving}, timeout=_LAST_SECONDS)
        if not self._leaving.done():
            abort()
            await asyncio.wait({self._leaving}, timeout=_LAST_SECONDS)

    @property
    def _has_body(self) -> bool:
        return self._scope["method"] != "HEAD" and self.status not in BODYLESS

    def _check(self) -> None:
        if self._is_gone:
            raise ClientGoneError("the client has closed the connection.", "", "Stop writing.")
        if self._is_over or not self.has_begun:
            raise ResponseError("nothing can be written before or after the response.", self.where)

    async def _watch(self) -> None:
        with contextlib.suppress(Exception):  # some servers raise once a response is over
            while (await self._receive())["type"] != "http.disconnect":
                pass
        if not self._is_over:
            self._is_gone = True
            self._tell()

    def _stop_watching(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()


def _do_nothing() -> None:
    return
