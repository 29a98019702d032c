"""Streams over plain HTTP: Server-Sent Events of one group or item, on a path of our own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from starlette.types import Receive, Scope, Send

from motia_celery.run.admission import SHORTEST_SECONDS, RefusedError, Visitor
from motia_celery.run.connection import CUT
from motia_celery.run.guard import STREAMS_PATH
from motia_celery.run.live import Live
from motia_celery.run.messages import Message, Place, Stamps
from motia_celery.run.outbox import Outbox, SlowClientError
from motia_celery.run.query import parse_query
from motia_celery.run.responses import Header

logger = logging.getLogger("motia_celery.streams")

#: Routers cut connections on which nothing is said for long.
HEARTBEAT_SECONDS = 15.0
#: The response's last words wait so long for a client that does not read.
_CLOSE_SECONDS = 3.0

HEADERS: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)


def place_of(path: str) -> Place | None:
    """The place that a path (as it was sent) names, or None."""
    parts = [unquote(part) for part in path.removeprefix(STREAMS_PATH).split("/")]
    if len(parts) not in (2, 3) or not all(parts):
        return None
    return Place(parts[0], parts[1], parts[2] if len(parts) == 3 else None)


def known_version(headers: Mapping[str, Any], query: str) -> int | None:
    """The version up to which the client says that it knows all."""
    told = headers.get("last-event-id") or parse_query(query).get("lastEventId")
    return int(told) if isinstance(told, str) and told.isascii() and told.isdigit() else None


class EventSource:
    """One client's response, which lasts until one of the two goes."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        visitor: Visitor,
        renew: Callable[[Visitor], Awaitable[Visitor]],
        queue: int,
    ) -> None:
        self._cut = scope.get("extensions", {}).get(CUT, lambda: None)
        self._receive = receive
        self._send = send
        #: Who the client is, as was last said.
        self.visitor = visitor
        self._renew = renew
        #: Nothing is told while it is not known whether the client still may follow.
        self._is_held = False
        self._outbox = Outbox(queue)
        self._stamps = Stamps()
        self._wake = asyncio.Event()
        self._is_over = False

    async def serve(
        self, live: Live, place: Place, since: int | None, headers: Iterable[Header]
    ) -> None:
        """Returns once the response has ended."""
        start = {"type": "http.response.start", "status": 200, "headers": [*HEADERS, *headers]}
        await self._send(start)
        live.enter(self)
        seat = live.join(self, place, since)
        tasks = {asyncio.create_task(work) for work in (self._drain(), self._until_gone())}
        expiry = asyncio.create_task(self._ask_again())
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            live.leave(seat)
            live.exit(self)
            for task in (*tasks, expiry):
                task.cancel()
            await asyncio.wait({*tasks, expiry})

    def tell(self, message: Message) -> None:
        """Sends the message, behind those that wait."""
        try:
            self._outbox.put(message)
        except SlowClientError:
            logger.info(
                "Cut a client of Server-Sent Events: too slow", extra={"action": "streams.closed"}
            )
            self._outbox.clear()
            self._is_over = True
            self._cut()
        self._wake.set()

    def stop(self) -> None:
        """Ends the response: the process ends, or what the client may do."""
        self._is_over = True
        self._wake.set()
        # A client that does not read must not hold up the end.
        asyncio.get_running_loop().call_later(_CLOSE_SECONDS, self._cut)

    async def _drain(self) -> None:
        """Sends what waits, and comments where nothing does."""
        await self._write("retry: 2000\n\n")
        while not self._is_over:
            pending = None if self._is_held else self._outbox.take()
            if pending is None:
                await self._write(await self._pause())
                continue
            for version, body in pending.bodies():
                text = self._stamps.text(version, body)
                await self._write(f"id: {pending.known}\ndata: {text}\n\n")
        await self._send({"type": "http.response.body", "body": b""})

    async def _ask_again(self) -> None:
        """Asks who the client is, and whether it may follow, each time that what it is ends."""
        shortest = 0.0
        while (left := self.visitor.seconds_left) is not None:
            await asyncio.sleep(max(left, shortest))
            self._is_held, shortest = True, SHORTEST_SECONDS
            try:
                self.visitor = await self._renew(self.visitor)
            except RefusedError:
                self.stop()
                return
            self._is_held = False
            self._wake.set()

    async def _pause(self) -> str:
        """Waits for more to say; gives what is said because nothing came."""
        self._wake.clear()
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return ": \n\n"
        return ""

    async def _write(self, text: str) -> None:
        if text:
            body = text.encode()
            await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
