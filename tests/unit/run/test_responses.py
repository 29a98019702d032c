"""Rules of what a handler may return."""

from __future__ import annotations

import json
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from pydantic import BaseModel

from motia_celery.errors import ResponseError
from motia_celery.run.responses import build_response

JSON = "application/json; charset=utf-8"
BYTES = "application/octet-stream"


def headers_of(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(n.decode(), v.decode("latin-1")) for n, v in build_response(result).headers]


@pytest.mark.parametrize(
    ("body", "sent", "content_type"),
    [
        ({"a": 1}, b'{"a":1}', JSON),
        ([1, 2], b"[1,2]", JSON),
        ({}, b"{}", JSON),
        (3, b"3", JSON),
        (0, b"0", JSON),
        (1.5, b"1.5", JSON),
        (True, b"true", JSON),
        (False, b"false", JSON),
        ({1: "a"}, b'{"1":"a"}', JSON),
        ("<b>é</b>", "<b>é</b>".encode(), "text/html; charset=utf-8"),
        ("", b"", "text/html; charset=utf-8"),
        (b"\x00\xff", b"\x00\xff", BYTES),
        (bytearray(b"x"), b"x", BYTES),
        (memoryview(b"x"), b"x", BYTES),
        ({"type": "Buffer", "data": [0, 255]}, b"\x00\xff", BYTES),
        ({"type": "Buffer", "data": [256]}, b'{"type":"Buffer","data":[256]}', JSON),
        ({"type": "Buffer", "data": "x"}, b'{"type":"Buffer","data":"x"}', JSON),
    ],
)
def test_the_body_decides_the_content_type(body: Any, sent: bytes, content_type: str) -> None:
    response = build_response({"status": 200, "body": body})
    assert response.body == sent
    assert dict(response.headers)[b"content-type"].decode() == content_type


def test_no_body_has_no_content_type() -> None:
    response = build_response({"status": 201})
    assert (response.body, response.headers) == (b"", ())


@pytest.mark.parametrize("status", [204, 205, 304])
def test_some_statuses_never_have_a_body(status: int) -> None:
    assert build_response({"status": status, "body": {"a": 1}}).body == b""


def test_models_sets_and_decimals_become_json() -> None:
    class Order(BaseModel):
        id: int

    body = {"order": Order(id=1), "tags": {"x"}, "price": Decimal("1.10")}
    sent = build_response({"status": 200, "body": body}).body
    assert json.loads(sent) == {"order": {"id": 1}, "tags": ["x"], "price": "1.10"}


@pytest.mark.parametrize(
    ("given", "body", "sent"),
    [
        ("application/xml", "<a/>", "application/xml; charset=utf-8"),
        ("text/csv; header=present", "a", "text/csv; header=present; charset=utf-8"),
        ("text/plain; charset=utf-8", "a", "text/plain; charset=utf-8"),
        ("text/plain; Charset=latin1; a=b", "é", "text/plain; a=b; charset=utf-8"),
        ("application/problem+json", {"a": 1}, "application/problem+json; charset=utf-8"),
        ("text/plain", b"a", "text/plain"),
        ("image/gif", {"type": "Buffer", "data": [0]}, "image/gif"),
    ],
)
def test_a_content_type_of_the_handler_is_kept(given: str, body: Any, sent: str) -> None:
    """Text and JSON are sent in UTF-8, which it says, as Express does."""
    result = {"status": 200, "body": body, "headers": {"Content-Type": given, "X": "1"}}
    assert headers_of(result) == [("content-type", sent), ("x", "1")]


def test_a_list_of_values_repeats_the_header() -> None:
    result = {"status": 204, "headers": {"Set-Cookie": ["a=1", "b=2"], "X-N": 5, "X-None": None}}
    assert headers_of(result) == [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-n", "5")]


def test_headers_that_frame_the_message_are_the_servers_alone() -> None:
    result = {"status": 200, "body": b"x", "headers": {"Content-Length": 99, "Connection": "x"}}
    assert headers_of(result) == [("content-type", BYTES)]


@pytest.mark.parametrize(
    "headers",
    [
        {"x": "a\r\nset-cookie: b"},
        {"x": "a\nb"},
        {"x": "a\0b"},
        {"x": "\u20ac"},
        {"x\r\ny": "a"},
        {"x y": "a"},
        {"": "a"},
        {"é": "a"},
        {1: "a"},
        {"x": {"a": 1}},
        {"x": ["ok", "a\nb"]},
        ["x"],
    ],
)
def test_a_header_that_can_not_be_sent_is_the_handlers_fault(headers: Any) -> None:
    with pytest.raises(ResponseError):
        build_response({"status": 200, "headers": headers})


@pytest.mark.parametrize(
    "result",
    [
        None,
        {},
        "text",
        5,
        [200],
        {"body": {}},
        {"status": None},
        {"status": "200"},
        {"status": True},
        {"status": 99},
        {"status": 101},
        {"status": 600},
        {"status": 200.5},
        {"status": 200, "body": object()},
        {"status": 200, "body": {"a": b"x"}},
        {"status": 200, "body": "\ud800"},
        {"status": 200, "body": {"a": "\ud800"}},
    ],
)
def test_what_is_no_response_is_refused(result: Any) -> None:
    with pytest.raises(ResponseError):
        build_response(result)


def test_an_http_status_of_the_standard_library_is_a_status() -> None:
    assert build_response({"status": HTTPStatus.CREATED}).status == 201


def test_a_status_may_be_given_for_results_without_one() -> None:
    assert build_response({"body": [1]}, status=200).status == 200
    assert build_response({"status": 201}, status=200).status == 201
    with pytest.raises(ResponseError):
        build_response({"body": [1]})
