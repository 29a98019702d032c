"""A socket of the streams, message by message, as Motia's clients write and read it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Self

from starlette.types import Message, Scope

from motia_celery.testing import StepTester

Told = dict[str, Any]

TIMEOUT_SECONDS = 60
#: Sent to a group, so that a test knows when it has read all that came before.
END = "end-of-test"


class Wire:
    """A client's socket; ``async with Wire(app, "/any/path?token=1") as wire:``."""

    def __init__(
        self,
        app: StepTester,
        url: str = "/",
        *,
        protocols: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._app = app
        self._scope = _scope(url, protocols, headers or {})
        self._sent: asyncio.Queue[Message] = asyncio.Queue()
        self._heard: asyncio.Queue[Message] = asyncio.Queue()
        #: Which subprotocol was chosen, where it was accepted.
        self.protocol: str | None = None
        #: The answer to a handshake that was refused.
        self.refused: tuple[int, str] | None = None

    async def __aenter__(self) -> Self:
        web = self._app._open_web().asgi
        self._sent.put_nowait({"type": "websocket.connect"})
        self._served = asyncio.ensure_future(web(self._scope, self._sent.get, self._heard.put))
        first = await self._hear()
        if first["type"] == "websocket.accept":
            self.protocol = first["subprotocol"]
        else:
            self.refused = first["status"], (await self._hear())["body"].decode()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._sent.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait([self._served])

    def say(self, message: Any) -> None:
        """Sends a message; a text is sent as it is."""
        text = message if isinstance(message, str) else json.dumps(message)
        self._sent.put_nowait({"type": "websocket.receive", "text": text})

    def join(self, stream: str, group: str, id: str | None = None, name: str | None = "1") -> None:
        """Sends a join."""
        self.say({"type": "join", "data": _place(stream, group, id, name)})

    def leave(self, stream: str, group: str, id: str | None = None, name: str | None = "1") -> None:
        """Sends a leave."""
        self.say({"type": "leave", "data": _place(stream, group, id, name)})

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is left to read."""
        return self._heard.empty()

    async def next(self) -> Told:
        """The next message."""
        message = await self._hear()
        assert message["type"] == "websocket.send", message
        told: Told = json.loads(message["text"])
        return told

    async def take(self, count: int) -> list[Told]:
        """The next messages."""
        return [await self.next() for _ in range(count)]

    async def until_end(self, stream: str, group: str) -> list[Told]:
        """What it is told of a group that it follows, up to now."""
        await self._app.streams.send(stream, group, None, {"type": END, "data": None})
        found: list[Told] = []
        while not _is_end(told := await self.next()):
            found.append(told)
        return found

    async def until_answered(self) -> list[Told]:
        """What comes until all that was said is answered."""
        self.join(END, END, name=END)
        found: list[Told] = []
        while (told := await self.next())["streamName"] != END:
            found.append(told)
        await self.next()  # an unknown stream is answered twice
        return found

    async def _hear(self) -> Message:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await self._heard.get()


def events(told: Sequence[Told]) -> list[tuple[Any, Any]]:
    """Of each message its type and its data; of what ``send`` sent its own type."""
    return [_event(one["event"]) for one in told]


def _event(event: Told) -> tuple[Any, Any]:
    inner = event["event"] if event["type"] == "event" else event
    return inner["type"], inner["data"]


def _is_end(told: Told) -> bool:
    return bool(told["event"].get("event", {}).get("type") == END)


def _place(stream: str, group: str, id: str | None, name: str | None) -> dict[str, str]:
    told = {"streamName": stream, "groupId": group, "id": id, "subscriptionId": name}
    return {key: value for key, value in told.items() if value is not None}


def _scope(url: str, protocols: Sequence[str], headers: Mapping[str, str]) -> Scope:
    path, _, query = url.partition("?")
    offered = {"sec-websocket-protocol": ",".join(protocols)} if protocols else {}
    return {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [
            (name.lower().encode(), value.encode())
            for name, value in ({"host": "test"} | offered | dict(headers)).items()
        ],
        "client": ("127.0.0.1", 0),
        "server": ("test", 80),
        "subprotocols": [*protocols],
        "extensions": {"websocket.http.response": {}},
        "state": {},
    }
