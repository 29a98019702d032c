"""Connections that are open when the web process is told to stop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from motia_celery.run.connection import Connection
from motia_celery.run.responses import Response
from motia_celery.run.whole_response import WholeResponse

REQUEST = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


async def _hello(scope: Any, receive: Callable[[], Awaitable[Any]], send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


@asynccontextmanager
async def _serving() -> AsyncIterator[tuple[uvicorn.Server, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(_hello, http=Connection, log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve([listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield server, listener.getsockname()[1]
        server.should_exit = True
        await asyncio.wait_for(serving, 60)


async def _stop_seen(server: uvicorn.Server) -> None:
    """Returns once the server has begun to close its connections."""
    server.should_exit = True
    while not any(connection._draining for connection in server.server_state.connections):  # type: ignore[union-attr]
        await asyncio.sleep(0)


async def test_a_request_that_was_on_its_way_is_answered() -> None:
    """The client had connected, and not yet sent a byte."""
    async with _serving() as (server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while not server.server_state.connections:
            await asyncio.sleep(0.01)
        await _stop_seen(server)
        writer.write(REQUEST)
        answer = await asyncio.wait_for(reader.read(), 60)
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in answer.lower()


async def test_a_request_on_a_connection_that_was_used_before_is_answered() -> None:
    """Kept-alive connections look idle between two requests."""
    async with _serving() as (server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        first = await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), 60)
        await _stop_seen(server)
        writer.write(REQUEST)
        second = await asyncio.wait_for(reader.read(), 60)
        writer.close()
    assert b"connection: close" not in first.lower()
    assert b"hello" in second


class _Writes:
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        assert not self.is_closed
        self.written.append(data)

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize(
    ("parts", "written"),
    [
        ([b"head", b"body"], [b"headbody"]),
        ([b"head", b""], [b"head"]),
        ([b"head", b"one", b"two"], [b"headone", b"two"]),
        ([b"head", b"x" * 100_000], [b"head", b"x" * 100_000]),
        ([b"head"], [b"head"]),
    ],
)
def test_a_head_goes_out_with_its_body(parts: list[bytes], written: list[bytes]) -> None:
    transport = _Writes()
    response = WholeResponse(transport)  # type: ignore[arg-type]
    for part in parts:
        response.write(part)
    response.close()
    assert transport.written == written
    assert transport.is_closed


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_whole_response_is_one_write(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """A client that takes one segment has all of it."""

    async def app(scope: Any, receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        await Response(200, b"hello").send(send)

    monkeypatch.setitem(globals(), "_hello", app)
    async with _serving() as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(REQUEST.replace(b"GET", method.encode()))
            answer = await asyncio.wait_for(reader.read(65536), 60)
            assert answer.startswith(b"HTTP/1.1 200")
            assert answer.endswith(b"hello" if method == "GET" else b"\r\n\r\n")
        writer.close()


async def test_an_idle_connection_is_closed() -> None:
    """A client that keeps its connection open does not hold the process up."""
    async with _serving() as (server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while not server.server_state.connections:
            await asyncio.sleep(0.01)
        await _stop_seen(server)
        assert await asyncio.wait_for(reader.read(), 60) == b""
        writer.close()
