"""A client's connection to the web process: what it may take of it, and how it ends.

uvicorn reads a request of any length for as long as its client likes, and leaves an answer to
whoever never reads it. Here a client that asks for too much, or takes too long, is told so and let
go.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from motia_celery.run.body import RequestRefusedError
from motia_celery.run.responses import JSON_TYPE, WHOLE, error_response
from motia_celery.run.whole_response import WholeResponse

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from motia_celery.settings import Settings

log = logging.getLogger("motia_celery.web")

#: A request may be on its way on a connection that looks idle: it has this long to arrive.
DRAIN_SECONDS = 0.2
#: How long a client may go on sending after an early answer. Closed at once, the answer is lost:
#: what arrives at a closed socket is answered by a reset, which empties the client's side.
LINGER_SECONDS = 2.0
#: In a request's ``extensions``: cuts its connection at once.
CUT = "motia_celery.cut"
#: The same, once what was written is sent.
HANG_UP = "motia_celery.hang_up"
#: In the lifespan's state: what ends the responses that would go on for ever.
STOP = "motia_celery.stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLimits:
    """What one client may take; the settings of these names say what each is."""

    head_limit_bytes: int = 32 * 1024
    head_timeout_seconds: float = 30
    body_timeout_seconds: float = 300
    write_timeout_seconds: float = 60

    @classmethod
    def of(cls, settings: Settings) -> ClientLimits:
        """The limits that the settings ask for."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})


class _Reading(Enum):
    """What the client owes."""

    NOTHING = "nothing"
    HEAD = "head"
    BODY = "body"


class Connection(HttpToolsProtocol):
    """An HTTP connection with limits, which answers what is on its way before it closes.

    uvicorn closes an idle one at once when the process is told to stop, and with it the
    request of a client that had just connected, or that reuses the connection.
    """

    def __init__(self, *args: Any, limits: ClientLimits | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits = limits or ClientLimits()
        self._draining = False
        #: Nothing that still comes is read.
        self._deaf = False
        self._lingers = False
        self._reading = _Reading.NOTHING
        self._watched: _Reading | None = None
        #: Bytes that came since the parser last gave a part of a body.
        self._held_bytes = 0
        #: The rest of a request whose body the parser left out; see `_go_on`.
        self._framing: bytes | None = None
        self._replaying = False
        self._read_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    # What the transport says

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there; its first request is awaited."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._deaf = True
        self._stop_watching()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """The client sent something."""
        if self._deaf:
            return
        self._unset_keepalive_if_required()
        self._held_bytes += len(data)
        self._feed(data)
        reading = self._reading is not _Reading.NOTHING
        if reading and self._held_bytes > self._limits.head_limit_bytes:
            self._refuse(_head_too_large())
        if not self._deaf:
            self._watch()

    def pause_writing(self) -> None:
        """The client reads more slowly than it is answered."""
        super().pause_writing()
        self._watch_writing()

    # What the parser says

    def on_message_begin(self) -> None:
        """A request begins."""
        if not self._replaying:
            self._reading = _Reading.HEAD
            super().on_message_begin()
            ends = {CUT: self.transport.abort, HANG_UP: self.transport.close}
            self.scope["extensions"] = ends  # type: ignore[typeddict-item]

    def on_url(self, url: bytes) -> None:
        """A part of its target."""
        if not self._replaying:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        if not self._replaying:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head of a request is there, and its answer begins."""
        if self._replaying:
            return
        self._check_head()
        super().on_headers_complete()
        # uvicorn adds the trailers, which follow a body, to the list.
        self.scope["headers"] = list(self.headers)
        self._reading = _Reading.BODY
        self._close_after_response()

    def on_body(self, body: bytes) -> None:
        """A part of its body."""
        self._held_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete."""
        if self.parser.should_upgrade() and not self._should_upgrade():
            self._framing = _framing(self.headers)
            if self._framing:
                return
        self._reading, self._held_bytes = _Reading.NOTHING, 0
        self._stop_watching_reads()
        super().on_message_complete()

    # Requests

    def _feed(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                try:
                    self.parser.feed_data(rest)
                    return
                except httptools.HttpParserUpgrade as upgrade:
                    rest = rest[upgrade.args[0] :]
                    if self._should_upgrade():
                        self.handle_websocket_upgrade()
                        return
                    self._go_on()
        except httptools.HttpParserError as error:
            own = error.__context__
            if not isinstance(own, RequestRefusedError):
                own = RequestRefusedError(400, "Malformed request")
            self._refuse(own)

    def _go_on(self) -> None:
        """Reads on after a request that asks for a protocol that is not spoken here, such as h2c.

        The parser takes its body for the other protocol's. Java's client asks so by default, and
        the body of its request must neither get lost nor pass for the next request.
        """
        if self._framing:
            self.parser = httptools.HttpRequestParser(self)
            self._replaying = True
            self.parser.feed_data(b"POST / HTTP/1.1\r\n" + self._framing + b"\r\n")
            self._replaying = False
            self._framing = None

    def _check_head(self) -> None:
        if self._held_bytes > self._limits.head_limit_bytes and (
            _head_size(self.url, self.headers) > self._limits.head_limit_bytes
        ):
            raise _head_too_large()
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            raise RequestRefusedError(400, "One Host header is needed")
        if any(n == b"transfer-encoding" and v.lower() != b"chunked" for n, v in self.headers):
            raise RequestRefusedError(501, "Unsupported Transfer-Encoding")

    def handle_websocket_upgrade(self) -> None:
        """Gives the connection to who speaks WebSocket, with limits of its own."""
        self._deaf = True
        self._stop_watching()
        super().handle_websocket_upgrade()

    # Answers

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        super()._start_asgi_task(cycle, self._telling_early(cycle, app))

    def _telling_early(self, cycle: RequestResponseCycle, app: ASGIApp) -> Any:
        """The app, which tells a client whose request is not read to its end that it may stop."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            async def tell(message: Message) -> None:
                is_start = message["type"] == "http.response.start"
                if not (is_start and cycle.more_body):
                    if is_start and message.get(WHOLE) and scope["method"] != "HEAD":
                        cycle.transport = WholeResponse(self.transport)  # type: ignore[assignment]
                    return await send(message)
                cycle.keep_alive = False
                await send(message)
                # uvicorn would close right after the answer; see LINGER_SECONDS.
                cycle.keep_alive = self._lingers = True
                return None

            await app(scope, receive, tell)

        return answer

    def on_response_complete(self) -> None:
        """An answer was given."""
        super().on_response_complete()
        if self._reading is not _Reading.NOTHING:  # the next request is on its way
            self._unset_keepalive_if_required()
        if self._lingers:
            self._linger()
        elif self.transport.get_write_buffer_size():
            self._watch_writing()

    def _refuse(self, error: RequestRefusedError) -> None:
        """Answers in place of the app, and closes; open requests are answered first."""
        if self._deaf or self.transport.is_closing():
            return
        self._deaf = True
        log.info("Refused a request: %s", error.what, extra={"action": "web.request_refused"})
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if not cycle.more_body:
                cycle.keep_alive = False
                return
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started or self.pipeline:
                self.transport.close()
                return
        self.transport.write(_answer(error))
        self._linger()

    def _linger(self) -> None:
        """Ends the connection for us, and lets the client read what it was told."""
        self._deaf = True
        self._stop_watching()
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.flow.resume_reading()
            self._read_timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)
        else:
            self.transport.close()

    # Time

    def _watch(self) -> None:
        """Sets the time by which the client must have sent what it owes."""
        owed = self._owed()
        if owed is self._watched:
            return
        self._stop_watching_reads()
        if owed is not None:
            limits = self._limits
            body = owed is _Reading.BODY
            seconds = limits.body_timeout_seconds if body else limits.head_timeout_seconds
            self._read_timer = self.loop.call_later(seconds, self._too_slow)
            self._watched = owed

    def _owed(self) -> _Reading | None:
        if self._reading is not _Reading.NOTHING:
            return self._reading
        idle = self.cycle is None or self.cycle.response_complete
        return _Reading.NOTHING if idle else None

    def _too_slow(self) -> None:
        owed, self._watched = self._watched, None
        answering = self.cycle is not None and not self.cycle.response_complete
        if self.flow.read_paused or (answering and owed is not _Reading.BODY):
            self._watch()  # it is not the client who keeps it waiting
        elif owed is _Reading.NOTHING:
            self.transport.close()
        else:
            self._refuse(RequestRefusedError(408, "Request Timeout"))

    def _watch_writing(self) -> None:
        if self._write_timer is None:
            left = self.transport.get_write_buffer_size()
            seconds = self._limits.write_timeout_seconds
            self._write_timer = self.loop.call_later(seconds, self._check_writing, left)

    def _check_writing(self, before: int) -> None:
        self._write_timer = None
        left = self.transport.get_write_buffer_size()
        if left >= before > 0:
            self.transport.abort()
        elif left:
            self._watch_writing()

    def _stop_watching_reads(self) -> None:
        self._watched = None
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None

    def _stop_watching(self) -> None:
        self._stop_watching_reads()
        self._unset_keepalive_if_required()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    # The end of the process

    def shutdown(self) -> None:
        """Closes the connection after its open request, and after one that is on its way."""
        self._draining = True
        stop: Callable[[], None] | None = self.app_state.get(STOP)
        if stop is not None:
            stop()
        self.loop.call_later(DRAIN_SECONDS, super().shutdown)
        self._close_after_response()

    def _close_after_response(self) -> None:
        if self._draining and self.cycle is not None:
            self.cycle.keep_alive = False


def _head_size(url: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers)


def _framing(headers: list[tuple[bytes, bytes]]) -> bytes:
    """The lines of a head that tell how long the body is."""
    names = (b"content-length", b"transfer-encoding")
    return b"".join(b"%s: %s\r\n" % header for header in headers if header[0] in names)


def _head_too_large() -> RequestRefusedError:
    return RequestRefusedError(431, "Request Header Fields Too Large")


def _answer(error: RequestRefusedError) -> bytes:
    """A whole answer, for where there is no app to give one."""
    body = error_response(error.status, error.what).body
    head = (
        f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}",
        f"content-type: {JSON_TYPE.decode()}",
        f"content-length: {len(body)}",
        "connection: close",
    )
    return "\r\n".join((*head, "", "")).encode() + body
