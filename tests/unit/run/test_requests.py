"""Rules of the request that a handler receives."""

from __future__ import annotations

import copy
import json

import pytest

from motia_celery.context.request import Request
from motia_celery.run.requests import read_headers


def request() -> Request:
    return Request({"pathParams": {"id": "1"}, "queryParams": {}, "body": {"a": 1}})


def test_a_request_is_a_dict_with_camel_case_keys_only() -> None:
    assert isinstance(request(), dict)
    assert list(request()) == ["pathParams", "queryParams", "body"]
    assert json.loads(json.dumps(request())) == request()


def test_keys_are_attributes_in_both_spellings() -> None:
    req = request()
    assert req.path_params == req.pathParams == req["pathParams"] == req["path_params"]
    assert req.get("path_params") == {"id": "1"}
    assert req.get("missing", 5) == 5
    with pytest.raises(AttributeError):
        req.missing  # noqa: B018
    with pytest.raises(KeyError):
        req["missing"]


def test_middleware_may_change_it_by_key_and_by_attribute() -> None:
    req = request()
    req["user"] = "ada"
    req.path_params = {"id": "2"}
    assert req.user == "ada"
    assert req["pathParams"] == {"id": "2"}


def test_it_can_be_copied() -> None:
    req = Request({"body": {"a": []}}, method="POST", path="/x", raw_bytes=b"1")
    for copied in (copy.copy(req), copy.deepcopy(req)):
        assert copied == req
        assert (copied.method, copied.path, copied.raw_bytes) == ("POST", "/x", b"1")


def test_headers_are_lower_cased_and_duplicates_joined_as_node_does() -> None:
    raw = [
        (b"X-A", b"1"),
        (b"x-a", b"2"),
        (b"Host", b"first"),
        (b"host", b"second"),
        (b"Cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"Set-Cookie", b"c=3"),
        (b"x-latin", b"\xe9"),
    ]
    assert read_headers(raw) == {
        "x-a": "1, 2",
        "host": "first",
        "cookie": "a=1; b=2",
        "set-cookie": ["c=3"],
        "x-latin": "é",
    }
