"""What hostile clients send as heads: the web process says no, and goes on."""

from __future__ import annotations

import pytest
from integration.hostile import Web, refused
from integration.raw_http import connected, read_all, request


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
