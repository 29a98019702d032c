"""Hostile rows of requests, answers and slow clients: the web process goes on."""

from __future__ import annotations

import contextlib
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from integration.apps import wait_until
from integration.hostile import JSON, Web, refused
from integration.raw_http import answers, chunked, connected, read_all, request

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
