"""A response whose head goes out with its body: each write is a call of the system, for us and for
the client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

#: Past so much, to copy a body behind its head costs more than another call of the system.
_COPIED_BYTES = 64 * 1024


class WholeResponse:
    """Stands in a transport's place for one response."""

    __slots__ = ("_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head: bytes | None = None

    def write(self, data: bytes) -> None:
        """Keeps the head, and sends it with what follows."""
        if self._head is None:
            self._head = data
            return
        if self._head and len(data) > _COPIED_BYTES:
            self._transport.write(self._head)
        else:
            data = self._head + data
        self._head = b""
        self._transport.write(data)

    def close(self) -> None:
        """Ends the connection, once what was written is sent."""
        if self._head:
            self.write(b"")
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
