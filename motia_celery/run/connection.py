"""A client's connection to the web process, and how it ends when the process does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

#: A request may be on its way on a connection that looks idle: it has this long to arrive.
DRAIN_SECONDS = 0.2
#: A client that does not read what is left for it is cut off after this.
CUT_SECONDS = 3.0
#: In a request's ``extensions``: cuts its connection at once.
CUT = "motia_celery.cut"
#: In a socket's ``extensions``: sends a text without waiting.
PUSH = "motia_celery.push"
#: In the lifespan's state: what ends the responses that would go on for ever.
STOP = "motia_celery.stop"


class Connection(HttpToolsProtocol):
    """An HTTP connection that answers what is on its way before it closes.

    uvicorn closes an idle one at once when the process is told to stop, and with it the
    request of a client that had just connected, or that reuses the connection.
    """

    _draining = False

    def shutdown(self) -> None:
        """Closes the connection after its open request, and after one that is on its way."""
        self._draining = True
        stop: Callable[[], None] | None = self.app_state.get(STOP)
        if stop is not None:
            stop()
        self.loop.call_later(DRAIN_SECONDS, super().shutdown)
        self._close_after_response()

    def on_message_begin(self) -> None:
        """A request is announced."""
        super().on_message_begin()
        self.scope["extensions"] = {CUT: self.transport.abort}  # type: ignore[dict-item]

    def on_headers_complete(self) -> None:
        """A request begins."""
        super().on_headers_complete()
        self._close_after_response()

    def _close_after_response(self) -> None:
        if self._draining and self.cycle is not None:
            self.cycle.keep_alive = False


class SocketConnection(WebSocketsSansIOProtocol):
    """A WebSocket that does not outlive its close, whatever the client reads."""

    async def run_asgi(self) -> None:
        """Runs the app."""
        self.scope["extensions"][PUSH] = self.push  # type: ignore[assignment]
        await super().run_asgi()

    def push(self, text: str) -> bool:
        """Sends a text at once, and says so; one change may go to thousands of sockets.

        Nothing is sent to a client that does not keep up: wait for ``send`` then.
        """
        is_open = self.handshake_complete and not self.close_sent and not self.disconnected
        if not is_open or not self.writable.is_set() or self.transport.is_closing():
            return False
        payload = text.encode()
        size = len(payload)
        # A frame of a server is a head and the text, where no extension was agreed upon.
        if size < 126:
            head = bytes((0x81, size))
        elif size < 65536:
            head = b"\x81\x7e" + size.to_bytes(2, "big")
        else:
            head = b"\x81\x7f" + size.to_bytes(8, "big")
        self.transport.write(head + payload)
        return True

    async def send(self, message: ASGISendEvent) -> None:
        """Sends a message; a close does not wait behind what a slow client has not read."""
        if message["type"] == "websocket.close":
            self.writable.set()
        await super().send(message)

    def shutdown(self) -> None:
        """Closes it because the process ends."""
        super().shutdown()
        self._cut_later()

    def on_task_complete(self, task: asyncio.Task[Any]) -> None:
        """The app is done with it."""
        super().on_task_complete(task)
        self._cut_later()

    def _cut_later(self) -> None:
        if not self.disconnected:
            self.loop.call_later(CUT_SECONDS, self.transport.abort)
