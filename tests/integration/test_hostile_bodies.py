"""What hostile clients send as bodies: the web process says no, and goes on."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from integration.hostile import JSON, Web, refused
from integration.raw_http import answers, connected, read_all, request


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
