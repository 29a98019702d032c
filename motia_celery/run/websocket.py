"""One client's socket, in Motia's protocol: it joins and leaves, and is told of changes."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Protocol

import orjson
from starlette.types import Receive, Scope, Send

from motia_celery.run.admission import SHORTEST_SECONDS, RefusedError, Visitor
from motia_celery.run.live import Live, Seat
from motia_celery.run.messages import TOO_MANY, Message, Place, Stamps, refusal
from motia_celery.run.outbox import Outbox, SlowClientError
from motia_celery.run.socket_connection import PUSH

logger = logging.getLogger("motia_celery.streams")

#: The client reads too slowly; it may come again.
SLOW = 1013
#: The client sends more than is answered.
FLOODING = 1008
#: What ``authenticate`` said of the client has come to its end.
EXPIRED = 4401

#: Messages that a client may send ahead, beside one for each subscription.
_AHEAD = 256
#: Access rules that are asked at once, when all of a socket's subscriptions are looked at again.
_ASKED_AT_ONCE = 8
#: Stands in line for the end of what the client is.
_EXPIRY: dict[str, Any] = {"type": "expiry"}
#: A close waits so long for a client that does not read.
_CLOSE_SECONDS = 5.0


class Rules(Protocol):
    """The access rules of the app's streams."""

    def has(self, stream: str) -> bool:
        """Whether there is such a stream."""

    async def allows(self, stream: str, subscription: Mapping[str, Any], auth_context: Any) -> bool:
        """Whether a client may join."""

    def left(self, stream: str, subscription: Mapping[str, Any], auth_context: Any) -> None:
        """Hears that a client has left; waits for nothing."""


class Socket:
    """A socket that was accepted. Its messages are answered strictly in order."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        live: Live,
        rules: Rules,
        visitor: Visitor,
        renew: Callable[[Visitor], Awaitable[Visitor]],
        subscriptions: int,
        queue: int,
    ) -> None:
        self._push: Callable[[str], bool] = scope.get("extensions", {}).get(PUSH, _can_not)
        self._receive = receive
        self._send = send
        self._live = live
        self._rules = rules
        self._visitor = visitor
        self._renew = renew
        self._expiry: asyncio.TimerHandle | None = None
        #: Nothing is told while it is not known what the client still may follow.
        self._is_held = False
        self._most = subscriptions
        self._seats: dict[str, Seat] = {}
        self._inbox: deque[dict[str, Any]] = deque()
        self._outbox = Outbox(queue)
        self._stamps = Stamps()
        self._answering: asyncio.Task[None] | None = None
        self._sending: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Returns once the socket is closed."""
        self._await_expiry()
        try:
            while (message := await self._receive())["type"] == "websocket.receive":
                self._take(message)
        finally:
            self._end()
        if self._closing is not None:
            await asyncio.wait([self._closing])

    def tell(self, message: Message) -> None:
        """Sends the message, behind those that wait."""
        is_free = self._sending is None and not self._is_held
        if self._closing is not None or (is_free and self._pushed(message)):
            return
        try:
            self._outbox.put(message)
        except SlowClientError:
            self.close(SLOW, "Too slow")
            return
        if is_free:
            self._sending = asyncio.create_task(self._drain())

    def _pushed(self, message: Message) -> bool:
        return self._push(self._stamps.text(message.version, message.body))

    def stop(self) -> None:
        """The process ends."""
        self.close(1012, "Service restart")

    def close(self, code: int, reason: str) -> None:
        """Closes the socket, without what still waits to be sent."""
        if self._closing is None:
            self._end()
            self._closing = asyncio.create_task(self._close(code, reason))

    async def _close(self, code: int, reason: str) -> None:
        logger.info("Closed a socket: %s", reason, extra={"action": "streams.closed", "code": code})
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
        except (OSError, RuntimeError, TimeoutError):
            return  # it is closed already, or its connection is about to be cut

    def _end(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        for task in (self._answering, self._sending):
            if task is not None:
                task.cancel()
        for seat in self._seats.values():
            self._give_back(seat)
        self._seats.clear()
        self._inbox.clear()
        self._outbox.clear()

    async def _drain(self) -> None:
        """Sends what waits; a client that does not read holds it up, and nobody else."""
        try:
            while not self._is_held and (pending := self._outbox.take()) is not None:
                for version, body in pending.bodies():
                    text = self._stamps.text(version, body)
                    await self._send({"type": "websocket.send", "text": text})
        except (OSError, RuntimeError):
            self._outbox.clear()  # the socket is closed
        finally:
            self._sending = None

    def _take(self, message: Mapping[str, Any]) -> None:
        """Puts a message of the client in line; what is none of the protocol is ignored."""
        if self._closing is not None:
            return
        try:
            told = orjson.loads(message.get("text") or message.get("bytes") or b"")
        except orjson.JSONDecodeError:
            return
        if not isinstance(told, dict) or not isinstance(told.get("data"), dict):
            return
        if told.get("type") not in ("join", "leave"):
            return
        self._inbox.append(told)
        if len(self._inbox) > self._most + _AHEAD:
            self.close(FLOODING, "Too many messages")
        else:
            self._begin_answering()

    def _begin_answering(self) -> None:
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer())

    async def _answer(self) -> None:
        try:
            while self._inbox:
                told = self._inbox.popleft()
                if told is _EXPIRY:
                    await self._ask_again()
                elif told["type"] == "join":
                    await self._join(told["data"])
                else:
                    self._leave(told["data"])
        finally:
            self._answering = None

    async def _join(self, data: Mapping[str, Any]) -> None:
        place = _place(data)
        if place is None:
            return
        name = _name(data.get("subscriptionId"))
        self._leave(data)
        if not self._rules.has(place.stream):
            self.tell(refusal(place, f"Stream {place.stream} not found"))
            self.tell(refusal(place, "Access denied"))
        elif len(self._seats) >= self._most:
            self.tell(refusal(place, "Too many subscriptions", TOO_MANY))
        elif await self._is_allowed(place):
            # One without a name can not be left, and lasts as long as the socket.
            seat = self._live.join(self, place)
            self._seats[name or f"\0{id(seat)}"] = seat
            await seat.opened
        else:
            self.tell(refusal(place, "Access denied"))

    def _await_expiry(self, shortest_seconds: float = 0) -> None:
        left = self._visitor.seconds_left
        if left is not None and self._closing is None:
            loop = asyncio.get_running_loop()
            self._expiry = loop.call_later(max(left, shortest_seconds), self._expire)

    def _expire(self) -> None:
        """Holds back what comes, until the client was asked who it is now."""
        self._is_held = True
        self._inbox.appendleft(_EXPIRY)
        self._begin_answering()

    async def _ask_again(self) -> None:
        try:
            self._visitor = await self._renew(self._visitor)
        except RefusedError:
            self.close(EXPIRED, "Authentication expired")
            return
        self._leave_denied(await self._denied())
        self._is_held = False
        if len(self._outbox) and self._sending is None:
            self._sending = asyncio.create_task(self._drain())
        self._await_expiry(SHORTEST_SECONDS)

    async def _denied(self) -> Collection[Place]:
        """What the client follows and may not follow any more."""
        turns = asyncio.Semaphore(_ASKED_AT_ONCE)

        async def ask(place: Place) -> bool:
            async with turns:
                return await self._is_allowed(place)

        places = [*{seat.place for seat in self._seats.values()}]
        answers = await asyncio.gather(*map(ask, places))
        return {place for place, allowed in zip(places, answers, strict=True) if not allowed}

    def _leave_denied(self, denied: Collection[Place]) -> None:
        for name, seat in [*self._seats.items()]:
            if seat.place in denied:
                self._give_back(self._seats.pop(name))
        kept = {seat.place for seat in self._seats.values()}
        self._outbox.drop(lambda place: place.is_within(denied) and not place.is_within(kept))
        for place in denied:
            self.tell(refusal(place, "Access denied"))

    async def _is_allowed(self, place: Place) -> bool:
        context = self._visitor.auth_context
        return await self._rules.allows(place.stream, place.subscription, context)

    def _leave(self, data: Mapping[str, Any]) -> None:
        seat = self._seats.pop(_name(data.get("subscriptionId")), None)
        if seat is not None:
            self._give_back(seat)

    def _give_back(self, seat: Seat) -> None:
        self._live.leave(seat)
        place = seat.place
        self._rules.left(place.stream, place.subscription, self._visitor.auth_context)


def _can_not(text: str) -> bool:
    """Stands for the push of servers that have none."""
    return False


def _place(data: Mapping[str, Any]) -> Place | None:
    stream, group, id = (_name(data.get(field)) for field in ("streamName", "groupId", "id"))
    return Place(stream, group, id or None) if stream and group else None


def _name(value: Any) -> str:
    """The value as JavaScript would write it into a room's name; nothing for what is no name."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)
