"""A response that a handler writes itself: what is sent, in which order, and what is refused."""

from __future__ import annotations

import asyncio

import pytest

from motia_celery.context import Context, Services
from motia_celery.context import response as responses
from motia_celery.context.current import current
from motia_celery.context.request import Request
from motia_celery.errors import ClientGoneError, ConfigError, ResponseError
from motia_celery.model.run import Run
from motia_celery.model.step import Step
from motia_celery.model.trace import Trace
from motia_celery.motia.messages import MotiaHttpArgs
from motia_celery.stores.memory_state import MemoryState


class Parts:
    """A reply that keeps what is sent; while ``gate`` is shut there is no room."""

    def __init__(self):
        self.sent = []
        self.is_gone = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def start(self, status, headers):
        self.sent.append((status, headers))

    async def write(self, chunk):
        await self.gate.wait()
        if self.is_gone:
            raise ClientGoneError("gone")
        self.sent.append(chunk)

    async def close(self):
        self.sent.append("closed")


class Silent:
    async def emit(self, event, options, **more):
        raise AssertionError("nothing is emitted here")


@pytest.fixture
def reply():
    return Parts()


@pytest.fixture
async def context(reply):
    request = Request({"body": {}}, raw_bytes=b"raw", reply=reply)
    run = Run(id="r", step="a", trigger="http", input=request, trace=Trace.start())
    step = Step(name="a", file="steps/a_step.py", language="python")
    return Context(run, step, Services(emitter=Silent(), state=MemoryState()))


@pytest.fixture
def response(context, reply):
    return context.response_to(reply)


async def test_the_request_has_its_response_beside_it(context, reply):
    request = MotiaHttpArgs({"body": 1}, raw_bytes=b"raw", reply=reply)
    with current(context):
        assert request.response is request.request.response is context.written
    assert [part async for part in request.request_body.stream] == [b"raw"]
    with pytest.raises(ConfigError, match="no response"):
        Request({}).response  # noqa: B018


async def test_a_request_is_asked_for_its_members_as_a_dict_is(context, reply):
    request = MotiaHttpArgs({"body": 1}, method="PUT", raw_bytes=b"raw", reply=reply)
    with current(context):
        assert request.get("response") is request.response
    assert (request.get("method"), request.get("request")) == ("PUT", request)
    assert [part async for part in request.get("request_body").stream] == [b"raw"]
    assert (request.get("path", 7), request.get("cookies"), Request({}).get("response")) == (
        7,
        None,
        None,
    )


async def test_the_first_write_sends_the_status_and_headers_too(response, reply):
    await response.status(201)
    await response.headers({"a": "1"})
    await response.headers({"b": ["2", "3"]})
    assert reply.sent == []
    await response.stream.write("é")
    await response.writer.stream.write(b"b")
    await response.close()
    assert reply.sent == [(201, {"a": "1", "b": ["2", "3"]}), "é".encode(), b"b", "closed"]


async def test_what_is_not_awaited_keeps_its_order(response, reply, context):
    for number in range(5):
        response.stream.write(str(number))
    response.close()
    await context.finish()
    assert reply.sent == [(200, {}), *[str(n).encode() for n in range(5)], "closed"]


async def test_a_write_returns_once_there_is_room(response, reply):
    reply.gate.clear()
    write = asyncio.ensure_future(response.stream.write("a"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not write.done()
    reply.gate.set()
    await write
    assert reply.sent[-1] == b"a"


async def test_writes_that_nobody_awaits_have_a_bound(response, reply, context, monkeypatch):
    monkeypatch.setattr(responses, "UNSENT_BYTES", 10)
    reply.gate.clear()
    response.stream.write(b"x" * 20)  # one may be larger
    with pytest.raises(ResponseError, match="more was written"):
        response.stream.write(b"y")
    reply.gate.set()
    await context.finish()
    await response.stream.write(b"z" * 20)
    assert [len(part) for part in reply.sent[1:]] == [20, 20]


async def test_a_client_that_left_ends_the_writing(response, reply, context):
    await response.stream.write("a")
    reply.gate.clear()
    lost = response.stream.write("b")
    reply.is_gone = True
    reply.gate.set()
    with pytest.raises(ClientGoneError):
        response.stream.write("c")
    with pytest.raises(ClientGoneError):
        await lost
    assert await response.finish(None) is None


async def test_nothing_is_changed_or_written_too_late(response):
    await response.stream.write("a")
    for change in (lambda: response.status(404), lambda: response.headers({"a": "b"})):
        with pytest.raises(ResponseError, match="has begun"):
            change()
    await response.close()
    with pytest.raises(ResponseError, match="is closed"):
        response.stream.write("b")


async def parts():
    yield "a"
    yield b"b"


async def write_both(stream):
    await stream.write("a")
    await stream.write("b")


@pytest.mark.parametrize("source", [["a", "b"], "ab", b"ab", parts, write_both])
async def test_a_source_is_written_whole(response, reply, source):
    await response.stream(parts() if source is parts else source)
    assert b"".join(reply.sent[1:]) == b"ab"


@pytest.mark.parametrize(
    ("said", "returned", "result", "sent"),
    [
        ({}, {"status": 200}, {"status": 200}, []),
        ({"status": 404}, None, None, [(404, {}), "closed"]),
        ({"headers": {"a": "1"}}, None, None, [(200, {"a": "1"}), "closed"]),
        (
            {"status": 202, "headers": {"a": "1"}},
            {"body": "b", "headers": {"c": "2"}},
            {"status": 202, "body": "b", "headers": {"a": "1", "c": "2"}},
            [],
        ),
        ({"status": 202}, {"status": 201}, {"status": 201, "headers": {}}, []),
    ],
)
async def test_what_is_returned_beside_it(response, reply, said, returned, result, sent):
    for name, value in said.items():
        await getattr(response, name)(value)
    assert await response.finish(returned) == result
    assert reply.sent == sent


async def test_the_end_of_the_handler_ends_what_it_wrote(response, reply):
    response.stream.write("a")
    assert await response.finish({"status": 500}) is None
    assert reply.sent == [(200, {}), b"a", "closed"]


async def test_in_a_def_handler_each_call_waits(response, reply):
    def work():
        response.status(203)
        response.stream.write("a")
        seen = [*reply.sent]
        response.close()
        return seen

    assert await asyncio.to_thread(work) == [(203, {}), b"a"]
    assert reply.sent[-1] == "closed"
