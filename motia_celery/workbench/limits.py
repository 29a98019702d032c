"""The largest body that the Workbench takes, whatever it is for."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from motia_celery.workbench.faults import fault


class BodyLimit:
    """ASGI middleware that answers 413 to a larger body, and reads no more of it."""

    def __init__(self, app: ASGIApp, limit_bytes: int) -> None:
        self._app = app
        self._limit = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or answers it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _told_length(scope) > self._limit:
            answer = fault(413, "The body is too large.", f"Send {self._limit} bytes at most.")
            await answer(scope, receive, send)
        else:
            await self._app(scope, _counted(receive, self._limit), send)


def _told_length(scope: Scope) -> int:
    told = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(told) if told.isdigit() else 0


def _counted(receive: Receive, limit: int) -> Receive:
    """``receive``, which raises once more than the limit has come."""
    left = limit

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, "The body is too large.")
        return message

    return counted
