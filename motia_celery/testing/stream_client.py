"""A client of a stream, as a browser is one: it joins, and reads what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import orjson
from starlette.types import ASGIApp, Message, Scope

from motia_celery.errors import StreamRefusedError, UnsettledError

#: Joined last, so that the answer says that what was joined before has been answered.
_LAST = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamMessage:
    """What a client was told.

    ``type`` is ``sync`` (what is there, when it joins), ``create``, ``update``, ``delete`` or
    ``event``; then ``event`` is the name that a handler's ``send`` gave it.
    """

    type: Literal["sync", "create", "update", "delete", "event"]
    data: Any
    id: str | None = None
    event: str | None = None


class StreamClient:
    """One subscription of a group, or with ``id`` of one item, by a socket of its own."""

    def __init__(
        self,
        web: ASGIApp,
        place: Mapping[str, str],
        token: str | None,
        headers: Mapping[str, str] | None,
        *,
        timeout_seconds: float,
    ) -> None:
        self._web = web
        self._place = place
        self._scope = _scope(token, headers or {})
        self._timeout = timeout_seconds
        self._sent: asyncio.Queue[Message] = asyncio.Queue()
        self._told: asyncio.Queue[StreamMessage | StreamRefusedError] = asyncio.Queue()
        self._joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._items: dict[str, Any] = {}
        #: All that it was told and that :meth:`next` or :meth:`until` has read.
        self.messages: list[StreamMessage] = []

    @property
    def name(self) -> str:
        """What it follows, for messages: ``orders/ann``."""
        return "/".join(self._place.values())

    @property
    def items(self) -> list[Any]:
        """What a client would show by the messages that have been read, oldest first."""
        return [*self._items.values()]

    async def __aenter__(self) -> Self:
        self._connection = asyncio.create_task(self._connect())
        self._sent.put_nowait({"type": "websocket.connect"})
        for place in ({**self._place, "subscriptionId": "1"}, _named(_LAST)):
            self._say({"type": "join", "data": place})
        try:
            await self._within(self._joined, "the join was not answered")
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._leave()

    async def _leave(self) -> None:
        self._sent.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait([self._connection])

    async def _connect(self) -> None:
        try:
            await self._web(self._scope, self._sent.get, self._hear)
        except Exception as error:
            self._refuse(f"the app failed: {error!r}")
            raise

    def _say(self, message: Any) -> None:
        self._sent.put_nowait({"type": "websocket.receive", "text": orjson.dumps(message).decode()})

    async def next(self) -> StreamMessage:
        """The next message.

        Raises:
            UnsettledError: none comes in time.
            StreamRefusedError: the app has closed the connection.
        """
        message: StreamMessage | StreamRefusedError = await self._within(
            self._told.get(), "no message came"
        )
        if isinstance(message, StreamRefusedError):
            raise message
        self.messages.append(message)
        self._apply(message)
        return message

    async def until(self, condition: Callable[[list[Any]], bool]) -> list[Any]:
        """Reads messages until the condition is true of the items; gives the items.

        Raises:
            UnsettledError: that does not happen in time.
        """
        while not condition(self.items):
            await self.next()
        return self.items

    async def _within(self, awaited: Any, what: str) -> Any:
        try:
            async with asyncio.timeout(self._timeout):
                return await awaited
        except TimeoutError:
            raise UnsettledError(
                f"{what} in {self._timeout:g} s; {len(self.messages)} came before.",
                f"stream {self.name}",
                "Look whether a Step changes this group, under this very name; or give more time: "
                "StepTester(timeout_seconds=…).",
            ) from None

    async def _hear(self, message: Message) -> None:
        """Takes what the app sends."""
        if message["type"] == "websocket.send":
            self._read(orjson.loads(message["text"]))
        elif message["type"] == "websocket.http.response.body":
            self._refuse(message["body"].decode())
        elif message["type"] == "websocket.close":
            self._refuse(f"closed: {message.get('reason') or message.get('code')}")

    def _read(self, told: dict[str, Any]) -> None:
        event = told["event"]
        if told["streamName"] == _LAST:
            if not self._joined.done():
                self._joined.set_result(None)
            return
        kind = event["type"]
        if kind != "event":
            self._told.put_nowait(StreamMessage(type=kind, data=event["data"], id=told.get("id")))
        elif event["event"]["type"] == "error":
            self._refuse(event["event"]["data"]["message"])
        else:
            name, data = event["event"]["type"], event["event"].get("data")
            self._told.put_nowait(
                StreamMessage(type="event", data=data, id=told.get("id"), event=name)
            )

    def _refuse(self, why: str) -> None:
        error = StreamRefusedError(
            f"the client may not follow it: {why}.",
            f"stream {self.name}",
            "Look at the stream's canAccess or onJoin, and at streamAuth; or give a token=….",
        )
        if self._joined.done():
            self._told.put_nowait(error)
        else:
            self._joined.set_exception(error)

    def _apply(self, message: StreamMessage) -> None:
        if message.type == "sync":
            found = message.data if isinstance(message.data, list) else [message.data]
            self._items = {item["id"]: item for item in found}
        elif message.type == "delete":
            self._items.pop(message.data["id"], None)
        elif message.type != "event":
            self._items[message.data["id"]] = message.data


def _named(stream: str) -> dict[str, str]:
    return {"streamName": stream, "groupId": stream, "subscriptionId": stream}


def _scope(token: str | None, headers: Mapping[str, str]) -> Scope:
    """The request of a socket; the token travels as Motia's client packages send it."""
    protocols = [] if token is None else ["Authorization", token]
    told = {"host": "test", **headers}
    if protocols:
        told["sec-websocket-protocol"] = ", ".join(protocols)
    return {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": "/",
        "raw_path": b"/",
        "root_path": "",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in told.items()],
        "client": ("127.0.0.1", 0),
        "server": ("test", 80),
        "subprotocols": protocols,
        "extensions": {"websocket.http.response": {}},
        "state": {},
    }
