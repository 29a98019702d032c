"""Frames: what goes in comes out, in whatever pieces the socket gives it."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motia_celery.errors import FrameError
from motia_celery.runtime.frames import FrameReader, decode, encode

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.sampled_from(["$bytes", "$object"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_every_value_comes_back_as_it_was(value):
    (message,) = FrameReader().feed(encode({"type": "call", "input": value}))
    assert message == {"type": "call", "input": value}


@given(st.lists(JSON, max_size=4), st.integers(1, 40))
def test_frames_are_found_in_any_pieces(values, size):
    data = b"".join(encode({"type": "call", "input": value}) for value in values)
    reader = FrameReader()
    found = [
        message["input"]
        for start in range(0, len(data), size)
        for message in reader.feed(data[start : start + size])
    ]
    assert found == values


def test_bytes_travel_as_base64():
    frame = encode({"type": "result", "value": b"\x00\xff"})
    body = b'{"type":"result","value":{"$bytes":"AP8="}}'
    assert frame == struct.pack(">I", len(body)) + body


def test_an_object_that_looks_like_bytes_is_escaped():
    frame = encode({"type": "result", "value": {"$bytes": "AP8="}})
    assert frame[4:] == b'{"type":"result","value":{"$object":{"$bytes":"AP8="}}}'


def test_what_is_too_large_is_refused_on_both_sides():
    with pytest.raises(FrameError, match="100 are allowed"):
        encode({"type": "call", "input": "x" * 100}, limit_bytes=100)
    with pytest.raises(FrameError, match="100 are allowed"):
        list(FrameReader(100).feed(struct.pack(">I", 101)))


@pytest.mark.parametrize("value", [object(), float, 1j])
def test_what_json_can_not_hold_is_refused(value):
    with pytest.raises(FrameError, match="can not cross"):
        encode({"type": "call", "input": value})


def test_a_circle_is_refused():
    circle: dict[str, object] = {}
    circle["self"] = circle
    with pytest.raises(FrameError):
        encode({"type": "call", "input": circle})


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"type": 1}', b'{"type":"a","b":{"$bytes":1}}', b"\xff"]
)
def test_a_body_that_is_no_message_is_refused(body):
    with pytest.raises(FrameError):
        decode(body)
