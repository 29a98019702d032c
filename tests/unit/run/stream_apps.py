"""Web apps with streams, made in a test and served by a real uvicorn; the store is in memory."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from unit.run.web_apps import Routed, Runs, never_emit
from websockets.asyncio.client import ClientConnection, connect

from motia_celery.errors import AuthenticationError
from motia_celery.model.step import Step
from motia_celery.run.admission import Admission
from motia_celery.run.connection import STOP, Connection
from motia_celery.run.doors import Streaming
from motia_celery.run.live import Live
from motia_celery.run.socket_connection import SocketConnection
from motia_celery.run.web import create_app
from motia_celery.settings import Settings
from motia_celery.stores.memory_streams import MemoryStreams

SECONDS = 30


class Rules:
    """Stands for the access rules: streams by name, each with who may join."""

    def __init__(self, **streams: Any) -> None:
        self.streams = streams
        self.asked: list[tuple[str, Any, Any]] = []
        self.gone: list[tuple[str, Any, Any]] = []

    def has(self, stream: str) -> bool:
        return stream in self.streams

    async def allows(self, stream: str, subscription: Any, auth_context: Any) -> bool:
        self.asked.append((stream, subscription, auth_context))
        rule = self.streams[stream]
        return bool(await rule(subscription, auth_context) if rule else True)

    def left(self, stream: str, subscription: Any, auth_context: Any) -> None:
        self.gone.append((stream, subscription, auth_context))


class Authentication:
    """Stands for ``authenticate``: tokens, and who has them; or a function that says so."""

    def __init__(self, **contexts: Any) -> None:
        self.contexts = contexts
        self.requests: list[tuple[Any, str]] = []

    async def authenticate(self, headers: Any, url: str, address: str) -> Any:
        self.requests.append((headers, url))
        token = url.partition("authToken=")[2]
        token = token or str(headers.get("sec-websocket-protocol", "")).partition(",")[2].strip()
        if not token:
            return None
        if token not in self.contexts:
            raise AuthenticationError("no")
        context = self.contexts[token]
        return await context() if callable(context) else context


class Session:
    """What ``authenticate`` gives: the same for another second, until the test ends that."""

    def __init__(self, context: Any, renewed: Any) -> None:
        self._context = context
        self._renewed = renewed
        self._is_ending = False
        #: Set when it is asked after the end; it answers once ``may_answer`` is.
        self.is_asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def __call__(self) -> Any:
        if not self._is_ending:
            return self._context | {"exp": time.time() + 1}
        self.is_asked.set()
        await self.may_answer.wait()
        if self._renewed is None:
            raise AuthenticationError("no")
        return self._renewed

    async def end(self) -> None:
        """Returns once it is asked again."""
        self._is_ending = True
        async with asyncio.timeout(SECONDS):
            await self.is_asked.wait()


class Served:
    """A web process."""

    def __init__(self, port: int, store: Any, live: Live, rules: Rules, auth: Any) -> None:
        self.port = port
        self.store = store
        self.live = live
        self.rules = rules
        self.auth = auth
        self.server: uvicorn.Server

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self, path: str = "/", **options: Any) -> connect:
        return connect(self.url + path, proxy=None, **options)


@asynccontextmanager
async def serving(
    *steps: Step,
    store: Any = None,
    rules: Rules | None = None,
    auth: Any = None,
    lag: float = 0,
    **settings: Any,
) -> AsyncIterator[Served]:
    """A uvicorn with the app's own connections."""
    store = store or MemoryStreams()
    live = Live(lambda: store)
    rules, auth = rules or Rules(todo=None), auth or Authentication()
    options = Settings(**settings)

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
        yield {STOP: live.stop}
        await live.aclose()

    app = create_app(
        plan=Routed(*steps),
        settings=options,
        invoke=Runs(),
        emit=never_emit,
        probes={},
        lifespan=lifespan,
        streaming=lambda cors: Streaming(
            live=live, rules=rules, admission=Admission(options, cors, auth)
        ),
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            app,
            http=Connection,
            ws=SocketConnection,
            ws_max_size=options.stream_message_bytes,
            ws_ping_interval=options.stream_ping_seconds,
            ws_ping_timeout=options.stream_ping_seconds,
            ws_per_message_deflate=False,
            log_config=None,
            timeout_graceful_shutdown=15,
        )
        served = Served(listener.getsockname()[1], store, live, rules, auth)
        served.server = server = uvicorn.Server(config)
        running = asyncio.create_task(server._serve([listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield served
        finally:
            server.should_exit = True
            await asyncio.wait_for(running, SECONDS)


def join(stream: str, group: str, id: str | None = None, name: str = "s1") -> str:
    return _message("join", stream, group, id, name)


def leave(stream: str, group: str, id: str | None = None, name: str = "s1") -> str:
    return _message("leave", stream, group, id, name)


def _message(kind: str, stream: str, group: str, id: str | None, name: str) -> str:
    data = {"streamName": stream, "groupId": group, "subscriptionId": name}
    return json.dumps({"type": kind, "data": data | ({"id": id} if id else {})})


async def receive(client: ClientConnection, count: int = 1) -> list[Any]:
    """The next messages."""
    async with asyncio.timeout(SECONDS):
        return [json.loads(await client.recv()) for _ in range(count)]


async def nothing_more(client: ClientConnection, served: Served) -> None:
    """Nothing has been sent beside what was received: the answer to a wrong join comes next."""
    await client.send(join("nowhere", "g", name="end"))
    first, _ = await receive(client, 2)
    assert first["event"]["event"]["data"]["message"] == "Stream nowhere not found", first
