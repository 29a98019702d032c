"""A response that the handler under test writes itself, kept whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class WholeReply:
    """Keeps what is written; its client never leaves."""

    def __init__(self) -> None:
        self.status: int | None = None
        self._headers: Mapping[str, Any] = {}
        self._body = bytearray()

    @property
    def is_gone(self) -> bool:
        """Whether the client has left."""
        return False

    @property
    def result(self) -> dict[str, Any]:
        """The response, as a handler would return it; its body is text where it can be."""
        body = bytes(self._body)
        try:
            shown: str | bytes = body.decode()
        except UnicodeDecodeError:
            shown = body
        return {"status": self.status, "headers": dict(self._headers), "body": shown}

    async def start(self, status: int, headers: Mapping[str, Any]) -> None:
        """Keeps the status and the headers."""
        self.status, self._headers = status, headers

    async def write(self, chunk: bytes) -> None:
        """Keeps a part of the body."""
        self._body += chunk

    async def close(self) -> None:
        """Does nothing."""

    def when_gone(self, tell: Callable[[], None]) -> None:
        """Never told."""
