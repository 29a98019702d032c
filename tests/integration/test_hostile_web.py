"""What hostile clients send to a running web process: it says no, and goes on."""

from __future__ import annotations

import contextlib
import gzip
import json
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import pytest
from integration.apps import Process, Project, wait_until
from integration.raw_http import answers, chunked, connected, exchange, read_all, request
from integration.test_tls import free_port, listens
from servers import Room

LIMIT = 1 << 20
JSON = "application/json"

STEPS = {
    "echo": """
import os

config = {"type": "api", "name": "echo", "method": "POST", "path": "/echo", "emits": []}


async def handler(req, context):
    parts = {name: req.get(name) for name in ("body", "queryParams", "rawBody", "pathParams")}
    return {"status": 200, "body": {**parts, "headers": req["headers"], "pid": os.getpid()}}
""",
    "file": """
config = {"type": "api", "name": "file", "method": "GET", "path": "/files/:name", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": req["pathParams"]}
""",
    "checked": """
config = {
    "type": "api", "name": "checked", "method": "POST", "path": "/checked", "emits": [],
    "bodySchema": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}},
    "validateBody": True,
}


async def handler(req, context):
    return {"status": 200, "body": "fit"}
""",
    "odd": """
config = {"type": "api", "name": "odd", "method": "POST", "path": "/odd", "emits": []}


def deep():
    value = []
    for _ in range(100_000):
        value = [value]
    return value


def circular():
    value = {}
    value["self"] = value
    return value


ODD = {
    "a number": lambda: 5,
    "a lone surrogate": lambda: {"status": 200, "body": "\\ud800"},
    "no JSON": lambda: {"status": 200, "body": object()},
    "deep": lambda: {"status": 200, "body": deep()},
    "circular": lambda: {"status": 200, "body": circular()},
    "a huge number": lambda: {"status": 200, "body": {"n": 10**400}},
}


async def handler(req, context):
    body = req["body"]
    return ODD[body["odd"]]() if "odd" in body else body
""",
    "large": """
config = {"type": "api", "name": "large", "method": "GET", "path": "/large", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": b"x" * (64 << 20)}
""",
    "later": """
import asyncio

config = {"type": "api", "name": "later", "method": "GET", "path": "/later", "emits": []}


async def handler(req, context):
    await asyncio.sleep(0.3)
    return {"status": 200, "body": "later"}
""",
}


class Web:
    """A running web process."""

    def __init__(self, process: Process, port: int) -> None:
        self.process, self.port = process, port

    @property
    def memory_mb(self) -> float:
        return psutil.Process(self.process.pid).memory_info().rss / (1 << 20)

    def ask(self, *parts: bytes) -> list[Any]:
        return exchange(self.port, *parts)

    def serves(self, client_port: int) -> bool:
        """Whether it has a connection to this client."""
        found = psutil.Process(self.process.pid).net_connections("tcp")
        return any(c.raddr and c.raddr.port == client_port for c in found)

    def lives(self) -> None:
        """The same process answers, and said nothing of a fault of its own."""
        (answer,) = self.ask(request(body=b"{}", content_type=JSON))
        assert answer.data["pid"] == self.process.pid


@pytest.fixture(scope="module")
def running(room: Room, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with room.redis() as server:
        project = Project(tmp_path_factory.mktemp("web"), "hostile", server.url, None)
        for name, source in STEPS.items():
            project.file(name).write_text(source)
        with contextlib.closing(project):
            port = free_port()
            process = project.command(
                "web",
                host="127.0.0.1",
                port=port,
                body_limit_bytes=LIMIT,
                head_timeout_seconds=6,
                body_timeout_seconds=6,
                write_timeout_seconds=2,
            )
            process.wait_for_line("Web ready")
            wait_until(lambda: listens(port), "it listens")
            web = Web(process, port)
            yield web
            assert web.memory_mb < 400
            assert "Traceback" not in process.output
            assert process.terminate() in (0, -signal.SIGTERM)  # uvicorn passes the signal on


@pytest.fixture
def web(running: Web) -> Iterator[Web]:
    yield running
    running.lives()


def refused(answer: Any, *statuses: int) -> None:
    """It is an error in our own words, without a word of Python."""
    assert answer.status in statuses
    assert list(answer.data) == ["error"]
    assert b"Traceback" not in answer.body and b'File "' not in answer.body


# --- bodies ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/echo", "/nowhere"])
def test_a_body_over_the_limit_is_refused_before_it_is_sent(web: Web, path: str) -> None:
    """The answer comes at once, and says that the connection ends."""
    (answer,) = web.ask(request(path, close=False, content_length=str(50 << 20)))
    refused(answer, 413, 404)
    assert answer.headers["connection"] == "close"


def test_a_client_that_sends_on_after_a_413_can_read_it(web: Web) -> None:
    """A socket that is closed while data arrives would take the answer with it."""
    size = 20 << 20
    head = request(close=False, content_length=str(size))
    (answer,) = web.ask(head, *[b"x" * (1 << 16)] * (size >> 16))
    refused(answer, 413)


def test_a_chunked_body_over_the_limit_is_refused(web: Web) -> None:
    head = request(close=False, transfer_encoding="chunked")
    piece = b"%x\r\n%s\r\n" % (1 << 16, b"x" * (1 << 16))
    (answer,) = web.ask(head, *[piece] * 64)
    refused(answer, 413)
    assert answer.headers["connection"] == "close"


def test_a_client_that_asks_first_is_not_told_to_send_what_is_too_much(web: Web) -> None:
    """``Expect: 100-continue``: 417 or a final status, and no ``100 Continue`` before it."""
    large = request(close=False, content_length=str(50 << 20), expect="100-continue")
    with connected(web.port) as client:
        client.sendall(large)
        assert read_all(client).startswith(b"HTTP/1.1 413")
    with connected(web.port) as client:
        client.sendall(request(body=b"", content_length="2", expect="100-continue"))
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"{}")
        assert answers(read_all(client))[0].status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"[" * 300 + b"]" * 300,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b'{"a": 1}{"a": 2}',
        b"\0",
        b'{"a": 1',
        b"'a'",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_json_is_400(web: Web, body: bytes) -> None:
    (answer,) = web.ask(request(body=body, content_type=JSON))
    refused(answer, 400)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": "\\u0000"}', {"a": "\0"}),
        (b'{"a": 123456789012345678901234567890}', {"a": 1.2345678901234568e29}),
        (b'{"__proto__": {"admin": true}}', {"__proto__": {"admin": True}}),
        (b'{"a":' + b"[" * 190 + b"]" * 190 + b"}", None),
    ],
    ids=lambda part: repr(part)[:20],
)
def test_odd_json_reaches_the_handler_as_it_does_in_javascript(
    web: Web, body: bytes, value: Any
) -> None:
    (answer,) = web.ask(request(body=body, content_type=JSON))
    assert answer.status == 200
    assert value is None or answer.data["body"] == value


@pytest.mark.parametrize(
    ("content_type", "body", "statuses"),
    [
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form", (400,)),
        ("multipart/form-data; boundary=b", b"--b\r\n" * 10_000, (400,)),
        ("multipart/form-data; boundary=b", b"", (200,)),
        ("multipart/form-data", b"x", (400,)),
        ("multipart/form-data; boundary=" + "b" * 9000, b"x", (400,)),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n' * 5000 + b"--b--",
            (400,),
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="' + b"x" * 900_000,
            (400,),
        ),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"a:\r\n" * 200_000, (400,)),
        ("application/x-www-form-urlencoded", b"a=1&" * 2000, (413,)),
        ("application/x-www-form-urlencoded", b"a" + b"[a]" * 200_000 + b"=1", (200,)),
        ("application/x-www-form-urlencoded", b"a=" + b"%41" * 300_000, (200,)),
        ("application/x-www-form-urlencoded", b"%ff=%zz&=&&[]=&]=[", (200,)),
        ("application/json; charset=utf-7", b"{}", (415,)),
        ("application/json; charset=" + "x" * 9000, b"{}", (415,)),
        (JSON, b"\x1f\x8b\x08", (400,)),
        ("text/plain", b"\xff\xfe", (400,)),
        ('\xff/\xfe; =;;"', b"{}", (200,)),
        ("image/png", b'{"a": 1}', (200,)),
    ],
    ids=lambda part: repr(part)[:24],
)
def test_bodies_that_are_not_what_they_say(
    web: Web, content_type: str, body: bytes, statuses: tuple[int, ...]
) -> None:
    (answer,) = web.ask(request(body=body, content_type=content_type))
    if answer.status == 200:
        assert 200 in statuses
    else:
        refused(answer, *statuses)


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("gzip", gzip.compress(b"0" * (30 << 20)), 413),
        ("gzip", gzip.compress(b"") * 20_000, 400),
        ("gzip", b"no gzip", 400),
        ("br", b"{}", 415),
        ("gzip, gzip", b"{}", 415),
        ("gzip", gzip.compress(b'{"a":1}'), 200),
    ],
    ids=lambda part: repr(part)[:16],
)
def test_compressed_bodies(web: Web, encoding: str, body: bytes, status: int) -> None:
    """They count as large as they are when inflated, and many small members cost no time."""
    (answer,) = web.ask(request(body=body, content_type=JSON, content_encoding=encoding))
    assert answer.status == status


def test_a_deep_body_is_not_checked_for_ever(web: Web) -> None:
    deep = b'{"n":' + b'{"a":' * 190 + b"1" + b"}" * 191
    (answer,) = web.ask(request("/checked", body=deep, content_type=JSON))
    assert (answer.status, answer.data["error"]) == (400, "Validation failed")


# --- heads ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        request(body=b"", x="y" * 100_000),
        request(body=b"", **{f"h{number}": "x" for number in range(10_000)}),
        request("/" + "a" * 100_000, body=b""),
        request("/echo?" + "a" * 100_000, body=b""),
        b"POST /echo HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 100_000,
        b"POST /" + b"x" * 1_000_000,
        b"POST /echo HTTP/1.1\r\n" + b"x" * 1_000_000,
        request(transfer_encoding="chunked") + b"1;" + b"x" * 1_000_000,
        request(transfer_encoding="chunked") + b"0\r\n" + b"a: b\r\n" * 200_000,
    ],
    ids=[
        *("a large header", "many headers", "a long path", "a long query", "a header without end"),
        *("a path without end", "a name without end", "a chunk extension", "trailers"),
    ],
)
def test_a_head_that_is_too_large_is_431(web: Web, head: bytes) -> None:
    (answer,) = web.ask(head)
    refused(answer, 431)


def test_a_head_within_the_limit_passes(web: Web) -> None:
    (answer,) = web.ask(request("/echo?q=" + "a" * 10_000, body=b"", x="y" * 15_000))
    assert answer.status == 200


HOST = b"Host: x\r\n"
CHUNKED = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"POST /echo HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n" + HOST,
        b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n" + HOST,
        b"POST /echo HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n" + HOST,
        b"POST /echo HTTP/1.1\r\nContent-Length: 5, 5\r\n" + HOST,
        b"POST /echo HTTP/1.1\r\nContent-Length: +5\r\n" + HOST,
        b"POST /echo HTTP/1.1\r\nContent-Length: -5\r\n" + HOST,
        b"POST /echo HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n" + HOST,
        b"POST /echo HTTP/1.1\r\nTransfer-Encoding : chunked\r\n" + HOST,
        b"POST /echo HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\n" + HOST,
        b"POST /echo HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n" + HOST,
        b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n" + HOST,
        b"POST /echo HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n" + HOST,
        CHUNKED + b"ZZ\r\n",
        CHUNKED + b"fffffffffffffffff\r\n",
        CHUNKED + b"5\nhello\n0\n\n",
        CHUNKED + b"-5\r\nhello\r\n",
        CHUNKED + b"1\r\nhello\r\n",
        b"GET /files/a HTTP/1.1\r\n",
        b"GET /files/a HTTP/1.1\r\nHost: x\r\nHost: y\r\n",
        b"GET /files/a HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n",
        b"GET /files/a HTTP/1.1\r\nHost: x\r\nA: x\0y\r\n",
        b"GET /files/a HTTP/1.1\r\nHost: x\r\nA b: y\r\n",
        b"GET /files/a HTTP/1.1\nHost: x\n",
        b"GET /files/a b HTTP/1.1\r\n" + HOST,
        b"GET /files/\xc3\xa9 HTTP/1.1\r\n" + HOST,
        b"GET /files/\0 HTTP/1.1\r\n" + HOST,
        b"GET files HTTP/1.1\r\n" + HOST,
        b"GET http:// HTTP/1.1\r\n" + HOST,
        b"GET /files/a HTTP/9.9\r\n" + HOST,
        b"CONNECT localhost:443 HTTP/1.1\r\n" + HOST,
        b"FOO /files/a HTTP/1.1\r\n" + HOST,
        b"get /files/a HTTP/1.1\r\n" + HOST,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0" * 1000,
        b"\xff" * 1000,
    ],
    ids=lambda raw: repr(raw[-48:]),
)
def test_what_is_no_http_is_refused_and_the_connection_ends(web: Web, raw: bytes) -> None:
    """A request that two servers could read differently is no request at all."""
    found = web.ask(raw + b"\r\n")
    refused(found[0], 400, 501)
    assert len(found) == 1
    assert found[0].headers["connection"] == "close"


def test_http_1_0_is_answered_and_closed(web: Web) -> None:
    (answer,) = web.ask(b"GET /files/a HTTP/1.0\r\n\r\n")
    assert (answer.status, answer.data) == (200, {"name": "a"})


@pytest.mark.parametrize(
    ("method", "status"),
    [("OPTIONS", 204), ("TRACE", 405), ("PROPFIND", 405), ("PUT", 405), ("HEAD", 200)],
)
def test_methods(web: Web, method: str, status: int) -> None:
    with connected(web.port) as client:
        client.sendall(request("/files/a", method=method))
        raw = read_all(client)
    assert raw.startswith(b"HTTP/1.1 %d" % status)
    assert method != "HEAD" or raw.endswith(b"\r\n\r\n")


def test_options_of_the_server_and_an_absolute_target_are_no_trouble(web: Web) -> None:
    (answer,) = web.ask(request("*", method="OPTIONS"))
    assert answer.status in (204, 400, 404)
    (answer,) = web.ask(request("http://elsewhere.example/files/a?x=1", method="GET"))
    assert answer.data == {"name": "a"}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("//files/a", 404),
        ("/files//a", 404),
        ("/x/../files/a", 404),
        ("/files/../../etc/passwd", 404),
        ("/%2e%2e/files/a", 404),
        ("/files%2fa", 404),
        ("/files/%00", 400),
        ("/files/a%00b", 400),
        ("/files/%ff", 400),
        ("/files/%c0%ae", 400),
        ("/files/%zz", 400),
        ("/files/%", 400),
        ("/files/" + "a/" * 5000, 404),
        ("//__workbench", 404),
    ],
)
def test_path_tricks_are_no_route(web: Web, path: str, status: int) -> None:
    (answer,) = web.ask(request(path, method="GET"))
    refused(answer, status)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/files/a;b=c", "a;b=c"),
        ("/files/..%2f..%2fetc", "../../etc"),
        ("/files/%252e", "%2e"),
        ("/files/%0d%0aset-cookie:x", "\r\nset-cookie:x"),
        ("/files/%E2%80%AE", "\u202e"),
    ],
)
def test_a_parameter_is_text_of_the_clients_choice(web: Web, path: str, name: str) -> None:
    (answer,) = web.ask(request(path, method="GET"))
    assert (answer.status, answer.data) == (200, {"name": name})


def test_a_query_that_is_no_utf8_is_read_with_replacements(web: Web) -> None:
    (answer,) = web.ask(request("/echo?a=%ff%00&%zz=1&a[__proto__][b]=1", body=b""))
    assert answer.data["queryParams"] == {"a": "\ufffd\0", "%zz": "1"}


def test_header_values_that_are_no_ascii_reach_the_handler(web: Web) -> None:
    (answer,) = web.ask(request(body=b"", x="\xff\xfe"))
    assert answer.data["headers"]["x"] == "\xff\xfe"


# --- several requests on a connection -------------------------------------------------------


def test_requests_in_a_row_are_answered_in_their_order(web: Web) -> None:
    found = web.ask(
        request("/later", method="GET", close=False)
        + request(body=b"[1]", close=False, content_type=JSON)
        + request("/files/a", method="GET")
    )
    assert [answer.status for answer in found] == [200, 200, 200]
    assert found[1].data["body"] == [1]


def test_thousands_of_requests_in_a_row_are_answered(web: Web) -> None:
    one = request("/files/a", method="GET", close=False)
    with connected(web.port) as client, ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read_all, client)
        client.sendall(one * 3000 + request("/files/b", method="GET"))
        found = answers(reading.result())
    assert len(found) == 3001
    assert found[-1].data == {"name": "b"}


def test_rubbish_behind_a_request_does_not_spoil_its_answer(web: Web) -> None:
    found = web.ask(request("/later", method="GET", close=False) + b"\0rubbish\r\n\r\n")
    assert [answer.status for answer in found] == [200]


def test_what_follows_a_body_is_no_request_of_its_own(web: Web) -> None:
    """A body that looks like a request is a body."""
    inner = request("/files/smuggled", method="GET")
    found = web.ask(request(body=inner, content_type="text/plain"))
    assert [answer.data["body"] for answer in found] == [inner.decode()]


def test_trailers_are_no_headers(web: Web) -> None:
    body = chunked(b"{}").removesuffix(b"\r\n") + b"X-Admin: yes\r\n\r\n"
    (answer,) = web.ask(request(transfer_encoding="chunked", content_type=JSON) + body)
    assert "x-admin" not in answer.data["headers"]


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_the_body_of_a_request_that_asks_for_http_2_is_its_body(
    web: Web, apart: bool, is_chunked: bool
) -> None:
    """Java's client asks so by default. Lost, or taken for a request, its body could do harm."""
    inner = request("/files/smuggled", method="GET")
    framing = {"transfer_encoding": "chunked"} if is_chunked else {}
    whole = request(
        body=chunked(inner) if is_chunked else inner,
        close=False,
        connection="Upgrade, HTTP2-Settings",
        upgrade="h2c",
        content_type="text/plain",
        **framing,
    )
    last = request("/files/a", method="GET", connection="Upgrade", upgrade="h2c", close=False)
    end = request("/files/b", method="GET")
    head, mark, body = whole.partition(b"\r\n\r\n")
    parts = [head + mark, body + last + end] if apart else [whole + last + end]
    found = web.ask(*parts)
    assert [answer.status for answer in found] == [200, 200, 200]
    assert found[0].data["body"] == inner.decode()
    assert found[2].data == {"name": "b"}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_upgrade_that_is_rubbish_is_an_ordinary_request(web: Web, method: str) -> None:
    rubbish = request(
        "/files/a", method=method, close=False, connection="Upgrade", upgrade="websocket"
    )
    with connected(web.port) as client:
        client.sendall(rubbish + b"\x81\xff" + b"\xff" * 5000)
        client.shutdown(socket.SHUT_WR)
        assert answers(read_all(client))[0].status in (200, 400, 403, 404, 405, 426)


# --- answers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200, "headers": {"x": "a\r\nset-cookie: b"}},
        {"status": 200, "headers": {"x": "a\nb"}},
        {"status": 200, "headers": {"x": "a\u0000"}},
        {"status": 200, "headers": {"x\r\ny": "a"}},
        {"status": 200, "headers": {"x y": "a"}},
        {"status": 200, "headers": {"": "a"}},
        {"status": 200, "headers": {"ü": "a"}},
        {"status": 200, "headers": {"x": "漢"}},
        {"status": 200, "headers": {"x": {"a": 1}}},
        {"status": 200, "headers": "x: y"},
        {"status": "200\r\nx: y"},
        {"status": "200"},
        {"status": 99},
        {"status": 101},
        {"status": 600},
        {"status": -1},
        {"status": 200.5},
        {"status": True},
        {"status": None},
        {"odd": "a number"},
        {"odd": "a lone surrogate"},
        {"odd": "no JSON"},
        {"odd": "deep"},
        {"odd": "circular"},
        {"odd": "a huge number"},
    ],
    ids=lambda answer: repr(answer)[:48],
)
def test_an_answer_that_can_not_be_sent_is_500(web: Web, answer: dict[str, Any]) -> None:

    body = json.dumps(answer).encode()
    (got,) = web.ask(request("/odd", body=body, content_type=JSON))
    refused(got, 500)
    assert "set-cookie" not in got.headers and "x" not in got.headers


@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding", "Connection"])
def test_a_handler_can_not_frame_its_answer(web: Web, name: str) -> None:
    body = b'{"status": 200, "headers": {"%s": "chunked"}, "body": {}}' % name.encode()
    found = web.ask(request("/odd", body=body, content_type=JSON))
    assert [answer.data for answer in found] == [{}]


# --- slow clients ---------------------------------------------------------------------------


def test_clients_that_are_slow_are_let_go(web: Web) -> None:
    """None of them holds a socket for ever; an honest one is answered meanwhile."""
    with contextlib.ExitStack() as stack:
        silent, in_head, in_body, in_chunk, in_lines, second = (
            stack.enter_context(connected(web.port)) for _ in range(6)
        )
        in_head.sendall(b"GET /files/a HTTP/1.1\r\nHost: x\r\nA: ")
        in_body.sendall(request(close=False, content_length="10") + b"x")
        in_chunk.sendall(request(close=False, transfer_encoding="chunked") + b"5\r\nhe")
        in_lines.sendall(b"\r\n\r\n")
        second.sendall(request("/files/a", method="GET", close=False) + b"GET ")
        web.lives()
        told = {
            name: [answer.status for answer in answers(read_all(client))]
            for name, client in [
                ("silent", silent),
                ("in its head", in_head),
                ("in its body", in_body),
                ("in a chunk", in_chunk),
                ("in empty lines", in_lines),
                ("in its second head", second),
            ]
        }
    assert told == {
        "silent": [],
        "in its head": [408],
        "in its body": [408],
        "in a chunk": [408],
        "in empty lines": [],
        "in its second head": [200, 408],
    }


def test_a_client_that_does_not_read_its_answer_is_cut_off(web: Web) -> None:
    """What it was to get is given free."""
    for close in (False, True):
        with connected(web.port, receive_bytes=4096) as client:
            client.sendall(request("/large", method="GET", close=close))
            port = client.getsockname()[1]
            assert client.recv(1)  # the answer began
            wait_until(lambda: not web.serves(port), "the server gave up", 60)  # noqa: B023
            assert len(read_all(client)) < 64 << 20


def test_a_client_that_reads_its_large_answer_gets_it(web: Web) -> None:
    (answer,) = web.ask(request("/large", method="GET"))
    assert len(answer.body) == 64 << 20


def test_clients_that_go_away_in_the_middle_leave_nothing(web: Web) -> None:
    for part in (
        b"",
        b"GET /",
        request(close=False, content_length="9"),
        request("/large", method="GET"),
    ):
        for _ in range(20):
            with connected(web.port) as client:
                client.sendall(part)
