"""A client's WebSocket connection to the web process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

#: A client that does not read what is left for it is cut off after this.
CUT_SECONDS = 3.0
#: In a socket's ``extensions``: sends a text without waiting.
PUSH = "motia_celery.push"


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
