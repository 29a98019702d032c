"""A response that is sent in parts, to real clients of the app's own connections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from unit.run.web_apps import api, app_of, ask

from motia_celery.errors import ClientGoneError, ResponseError
from motia_celery.model.run import Failure, Run, RunError, Success
from motia_celery.run.connection import Connection
from motia_celery.run.reply import ClientReply

LONG_SECONDS = 60


class Client:
    """A connection to the app, read by hand."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Client:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    def send(self, method: str = "GET") -> None:
        self.writer.write(f"{method} /s HTTP/1.1\r\nHost: test\r\n\r\n".encode())

    async def until(self, end: bytes) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(end), LONG_SECONDS)

    async def rest(self) -> bytes:
        return await asyncio.wait_for(self.reader.read(), LONG_SECONDS)


@asynccontextmanager
async def serving(runs: Callable[[Run], Any], **settings: Any) -> AsyncIterator[Client]:
    """The app, whose one route is answered by ``runs``."""
    app = app_of(api("/s", "GET"), runs=runs, **settings)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, http=Connection, log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve([listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            async with Client(listener.getsockname()[1]) as client:
                yield client
        finally:
            server.should_exit = True
            await asyncio.wait_for(serving, LONG_SECONDS)


def reply_of(run: Run) -> ClientReply:
    reply = run.input.reply
    assert isinstance(reply, ClientReply)
    return reply


async def test_each_part_arrives_while_the_handler_goes_on() -> None:
    """Past the request's time limit too, which is over once the response begins."""
    go_on = asyncio.Event()

    async def runs(run: Run) -> Success:
        reply = reply_of(run)
        await reply.start(201, {"X-Own": "é", "connection": "close"})
        await reply.write(b"first")
        await go_on.wait()
        await asyncio.sleep(0.2)
        await reply.write(b"second")
        await reply.close()
        await reply.close()
        return Success()

    async with serving(runs, request_timeout_seconds=0.1) as client:
        client.send()
        head = await client.until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 201 ")
        assert "x-own: é".encode("latin-1") in head
        for expected in (b"x-trace-id: ", b"access-control-allow-origin: *", b"chunked"):
            assert expected in head
        assert b"connection: close" not in head
        assert await client.until(b"first\r\n") == b"5\r\nfirst\r\n"
        go_on.set()
        assert await client.until(b"0\r\n\r\n") == b"6\r\nsecond\r\n0\r\n\r\n"
        client.send()  # the connection is as good as before
        assert (await client.until(b"0\r\n\r\n")).endswith(b"second\r\n0\r\n\r\n")


async def test_a_failure_half_way_cuts_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    async def runs(run: Run) -> Failure:
        reply = reply_of(run)
        await reply.start(200, {})
        await reply.write(b"first")
        return Failure(RunError("ValueError", "half-way"))

    async with serving(runs) as client:
        client.send()
        assert (await client.rest()).endswith(b"\r\n\r\n5\r\nfirst\r\n")
    assert "GET /s failed: ValueError: half-way" in caplog.messages
    assert not [r for r in caplog.records if r.name.startswith("uvicorn") and r.levelno > 20]


async def test_a_client_that_leaves_ends_the_writing(caplog: pytest.LogCaptureFixture) -> None:
    outcome: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
    told = asyncio.Event()

    async def runs(run: Run) -> Failure:
        reply = reply_of(run)
        reply.when_gone(told.set)
        await reply.start(200, {})
        try:
            while True:
                await reply.write(b"x" * 1000)
                await asyncio.sleep(0.01)
        except ClientGoneError as error:
            assert reply.is_gone
            outcome.set_result(error)
            return Failure(RunError("ClientGoneError", str(error)))

    async with serving(runs) as client:
        client.send()
        await client.until(b"\r\n\r\n")
        client.writer.close()
        await asyncio.wait_for(outcome, LONG_SECONDS)
        await asyncio.wait_for(told.wait(), LONG_SECONDS)
    assert [r for r in caplog.records if r.levelno >= 40] == []


async def test_a_head_request_gets_no_body() -> None:
    async def runs(run: Run) -> Success:
        reply = reply_of(run)
        await reply.start(200, {"content-type": "text/plain"})
        await reply.write(b"first")
        return Success()

    async with serving(runs) as client:
        client.send("HEAD")
        assert b"content-type: text/plain" in await client.until(b"\r\n\r\n")
        client.send()
        assert (await client.until(b"0\r\n\r\n")).startswith(b"HTTP/1.1 200")


async def test_what_can_not_be_sent_is_refused_and_another_response_given() -> None:
    seen: list[ClientReply] = []

    async def runs(run: Run) -> Success:
        reply = reply_of(run)
        seen.append(reply)
        for status, headers in ((700, {}), (200, {"a\n": "b"}), (200, ["a"])):
            with pytest.raises(ResponseError):
                await reply.start(status, headers)  # type: ignore[arg-type]
        with pytest.raises(ResponseError):
            await reply.write(b"a")
        return Success({"status": 202, "body": "given"})

    answer = await ask(app_of(api("/s", "GET"), runs=runs), "GET", "/s")
    assert (answer.status_code, answer.text) == (202, "given")
    with pytest.raises(ResponseError):
        await seen[0].start(200, {})  # by a handler that goes on after its time limit


async def test_parts_are_put_together_by_servers_that_can_not_cut_a_connection() -> None:
    async def runs(run: Run) -> Success | Failure:
        reply = reply_of(run)
        await reply.start(200, {})
        await reply.write(b"a")
        await reply.write(b"b")
        fails = run.input["queryParams"]
        return Failure(RunError("ValueError", "half-way")) if fails else Success()

    app = app_of(api("/s", "GET"), runs=runs)
    assert (await ask(app, "GET", "/s")).text == "ab"
    with pytest.raises(ResponseError, match="half-way"):
        await ask(app, "GET", "/s?fails=1")


async def test_a_part_waits_for_the_servers_room() -> None:
    room, sent = asyncio.Event(), []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await room.wait()
        sent.append(message)

    async def receive() -> Any:
        await asyncio.Event().wait()

    scope = {"type": "http", "method": "GET"}
    reply = ClientReply(scope, receive, send, ())
    await reply.start(200, {})
    write = asyncio.create_task(reply.write(b"a"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not write.done()
    room.set()
    await write
    await reply.close()
    assert [message.get("body") for message in sent] == [None, b"a", b""]
