"""The response that a handler writes itself: Motia 1.0's ``response`` beside the ``request``.

Nothing is sent before the first write, which sends the status and the headers too. Its calls may be
awaited; in a ``def`` handler, which runs in a thread, they return once they are done.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from motia_celery.errors import ClientGoneError, ResponseError

if TYPE_CHECKING:
    from motia_celery.context.calls import Calls

#: What writes that nobody awaits may hold together.
UNSENT_BYTES = 8 * 1024 * 1024

Start = Callable[[Coroutine[Any, Any, Any]], Any]


class Reply(Protocol):
    """Carries a response to its client, in parts; each call returns once the client has room."""

    @property
    def is_gone(self) -> bool:
        """Whether the client has left."""

    async def start(self, status: int, headers: Mapping[str, Any]) -> None:
        """Sends the status and the headers."""

    async def write(self, chunk: bytes) -> None:
        """Sends a part of the body."""

    async def close(self) -> None:
        """Ends the response; what is closed already stays so."""

    def when_gone(self, tell: Callable[[], None]) -> None:
        """Has ``tell`` called if the client leaves."""


class WrittenResponse:
    """What a handler does to its response: ``status``, ``headers``, ``stream.write``, ``close``."""

    def __init__(self, reply: Reply, calls: Calls) -> None:
        self._reply = reply
        self._start = calls.start
        self._status: int | None = None
        self._headers: dict[str, Any] = {}
        self._unsent = 0
        self._has_begun = self._is_closed = False
        self.stream = ResponseStream(self)
        self.writer = self.stream

    def status(self, code: int) -> Any:
        """Sets the status, which is 200 otherwise."""
        self._refuse_if_begun()
        self._status = code
        return self._start(_nothing())

    def headers(self, headers: Mapping[str, Any]) -> Any:
        """Adds headers; a list is a header that is repeated."""
        self._refuse_if_begun()
        self._headers.update(headers)
        return self._start(_nothing())

    def close(self) -> Any:
        """Ends the response, which the end of the handler does too."""
        self._is_closed = True
        return self._start(self._close())

    def write(self, chunk: str | bytes) -> Any:
        """Sends a part of the body; awaited, it returns once the client has room for more.

        Raises:
            ClientGoneError: the client has left.
            ResponseError: the response is closed, or too much was written and never awaited.
        """
        data = chunk.encode() if isinstance(chunk, str) else bytes(chunk)
        self._refuse(len(data))
        self._unsent += len(data)
        # What is closed by now may still be on its way.
        begins, self._has_begun = not self._has_begun, True
        return self._start(self._write(data, begins=begins))

    async def finish(self, result: Any) -> Any:
        """What the run's result is, once the handler has returned this; ends what it wrote."""
        is_untouched = self._status is None and not self._headers
        is_written = self._has_begun or self._is_closed
        if not is_written and (is_untouched or result is not None):
            return self._completed(result)
        await self._start(self._close())
        return None

    def _completed(self, result: Any) -> Any:
        """A returned response, with what was said of it before."""
        if not isinstance(result, Mapping) or not (self._status or self._headers):
            return result
        headers = {**self._headers, **(result.get("headers") or {})}
        return {"status": self._status or 200, **result, "headers": headers}

    async def _write(self, data: bytes, *, begins: bool) -> None:
        try:
            if begins:
                await self._reply.start(self._status or 200, self._headers)
            await self._reply.write(data)
        finally:
            self._unsent -= len(data)

    async def _close(self) -> None:
        begins, self._has_begun = not self._has_begun, True
        if begins:
            await self._reply.start(self._status or 200, self._headers)
        await self._reply.close()

    def _refuse(self, size: int) -> None:
        if self._reply.is_gone:
            raise ClientGoneError("the client has closed the connection.", "", "Stop writing.")
        if self._is_closed:
            raise ResponseError("the response is closed.", "", "Write before close().")
        if self._unsent and self._unsent + size > UNSENT_BYTES:
            raise ResponseError(
                "more was written than the client reads.", "", "Await response.stream.write(…)."
            )

    def _refuse_if_begun(self) -> None:
        if self._has_begun:
            fix = "Set the status and headers before the first write."
            raise ResponseError("the response has begun.", "", fix)


class ResponseStream:
    """The body of a written response; ``stream(source)`` writes all of an iterable."""

    def __init__(self, response: WrittenResponse) -> None:
        self._response = response

    @property
    def stream(self) -> ResponseStream:
        """The same: Motia 1.0's ``response.writer.stream``."""
        return self

    def write(self, chunk: str | bytes) -> Any:
        """Sends a part of the body."""
        return self._response.write(chunk)

    def close(self) -> Any:
        """Ends the response."""
        return self._response.close()

    def __call__(self, source: Any) -> Any:
        """Writes each part that ``source`` gives: an iterable, an async one, or a function.

        A function gets the stream; what it returns is awaited.
        """
        return self._response._start(self._pour(source))

    async def _pour(self, source: Any) -> None:
        if callable(source):
            result = source(self)
            if inspect.isawaitable(result):
                await result
            return
        async for chunk in _parts(source):
            await self.write(chunk)


async def _parts(source: Any) -> AsyncIterator[str | bytes]:
    if hasattr(source, "__aiter__"):
        async for chunk in source:
            yield chunk
        return
    chunks: Iterable[Any] = (source,) if isinstance(source, (str, bytes)) else source
    for chunk in chunks:
        yield chunk


async def _nothing() -> None:
    return


class RequestBody:
    """The body of a request in parts: Motia 1.0's ``request.request_body``, with its ``stream``."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    @property
    def stream(self) -> AsyncIterator[bytes]:
        """The parts of the body, which is whole by now."""
        return self._chunks()

    async def _chunks(self) -> AsyncIterator[bytes]:
        if self._raw:
            yield self._raw
