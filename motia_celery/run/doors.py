"""The doors of live streams: WebSockets on every path, Server-Sent Events on one of ours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from motia_celery.run.admission import Admission, RefusedError, Visitor
from motia_celery.run.cors import Cors
from motia_celery.run.event_source import (
    HEADERS,
    EventSource,
    known_version,
    place_of,
)
from motia_celery.run.guard import STREAMS_PATH, is_stream, raw_path
from motia_celery.run.live import Live
from motia_celery.run.messages import Place
from motia_celery.run.requests import read_headers
from motia_celery.run.responses import Response, error_response
from motia_celery.run.websocket import Rules, Socket
from motia_celery.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Streaming:
    """What the doors lead to: the live streams, and the rules of who may follow which."""

    live: Live
    rules: Rules
    admission: Admission


class Doors:
    """ASGI middleware that answers the clients of streams, and passes on all else."""

    def __init__(self, app: ASGIApp, streaming: Streaming, settings: Settings, cors: Cors) -> None:
        self._app = app
        self._streaming = streaming
        self._admission = streaming.admission
        self._settings = settings
        self._cors = cors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers the client, or passes the request on."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] == "http" and is_stream(scope):
            await self._events(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        try:
            with self._admission.counted(scope):
                visitor = await self._admission.admit(scope)
                await self._serve_socket(scope, receive, send, visitor)
        except RefusedError as error:
            await _refuse_upgrade(send, error)

    async def _serve_socket(
        self, scope: Scope, receive: Receive, send: Send, visitor: Visitor
    ) -> None:
        offered = [name for name in scope.get("subprotocols", ()) if name]
        # Browsers hang up unless one of the protocols that they offered is chosen.
        await send({"type": "websocket.accept", "subprotocol": offered[0] if offered else None})
        socket = Socket(
            scope,
            receive,
            send,
            live=self._streaming.live,
            rules=self._streaming.rules,
            visitor=visitor,
            renew=partial(self._admission.renew, scope),
            subscriptions=self._settings.stream_subscriptions_per_socket,
            queue=self._settings.stream_queue_messages,
        )
        await socket.serve()

    async def _events(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = read_headers(scope["headers"])
        cors = self._cors.headers(headers)
        is_head = scope["method"] == "HEAD"
        try:
            if (answer := _other_answer(scope, headers)) is not None:
                await answer.with_headers(cors).send(send, head=is_head)
                return
            with self._admission.counted(scope):
                visitor = await self._admission.admit(scope)
                place = await self._allowed(scope, visitor)
                if is_head:
                    self._left(place, visitor)
                    await Response(200, b"", HEADERS).with_headers(cors).send(send, head=True)
                    return
                since = known_version(headers, scope["query_string"].decode("latin-1"))
                source = self._source(scope, receive, send, visitor)
                try:
                    await source.serve(self._streaming.live, place, since, cors)
                finally:
                    self._left(place, source.visitor)
        except RefusedError as error:
            answer = error_response(error.status, error.text)
            await answer.with_headers(cors).send(send, head=is_head)

    def _source(self, scope: Scope, receive: Receive, send: Send, visitor: Visitor) -> EventSource:
        renew = partial(self._renew, scope)
        queue = self._settings.stream_queue_messages
        return EventSource(scope, receive, send, visitor=visitor, renew=renew, queue=queue)

    def _left(self, place: Place, visitor: Visitor) -> None:
        self._streaming.rules.left(place.stream, place.subscription, visitor.auth_context)

    async def _renew(self, scope: Scope, visitor: Visitor) -> Visitor:
        renewed = await self._admission.renew(scope, visitor)
        await self._allowed(scope, renewed)
        return renewed

    async def _allowed(self, scope: Scope, visitor: Visitor) -> Place:
        """The place that the request names.

        Raises:
            RefusedError: there is none, or the client may not follow it.
        """
        place, rules = place_of(raw_path(scope)), self._streaming.rules
        if place is None:
            raise RefusedError(404, f"Expected {STREAMS_PATH}<stream>/<group>[/<id>]")
        if not rules.has(place.stream):
            raise RefusedError(404, f"Stream {place.stream} not found")
        if not await rules.allows(place.stream, place.subscription, visitor.auth_context):
            raise RefusedError(403, "Access denied")
        return place


def _other_answer(scope: Scope, headers: dict[str, Any]) -> Response | None:
    """The answer to a request that does not ask for events."""
    if scope["method"] == "OPTIONS":
        return Response(204)
    if scope["method"] not in ("GET", "HEAD"):
        allow = (b"allow", b"GET, HEAD, OPTIONS")
        return error_response(405, "Method Not Allowed").with_headers([allow])
    accepted = str(headers.get("accept", "*/*"))
    if not any(kind in accepted for kind in ("text/event-stream", "text/*", "*/*")):
        return error_response(406, "Only text/event-stream is given here")
    return None


async def _refuse_upgrade(send: Send, error: RefusedError) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    start = {"type": "websocket.http.response.start", "status": error.status, "headers": headers}
    await send(start)
    await send({"type": "websocket.http.response.body", "body": error.text.encode()})
