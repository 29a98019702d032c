"""Frames as the direct path reads and writes them, against py-amqp's own reading and writing."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from amqp.basic_message import Message as AmqpMessage
from amqp.serialization import dumps
from hypothesis import given
from hypothesis import strategies as st

from motia_celery.broker.direct import frames
from motia_celery.broker.direct.frames import Arrival, FrameReader, UnusualError, read_properties
from motia_celery.broker.unreadable import UNREADABLE
from motia_celery.broker.wire import Message

TEXTS = st.text(max_size=60)
SHORT = st.text(max_size=60).filter(lambda text: len(text.encode()) < 256)
NAMES = st.text(min_size=1, max_size=40).filter(lambda text: len(text.encode()) < 129)
SHORT_NAMES = (
    "content_type",
    "content_encoding",
    "correlation_id",
    "reply_to",
    "expiration",
    "message_id",
    "type",
    "user_id",
    "app_id",
    "cluster_id",
)
PLAIN = st.one_of(TEXTS, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.none())
ODD = st.one_of(st.floats(allow_nan=False), st.lists(st.integers(0, 9)))


def split(data: bytes) -> list[tuple[int, int, bytes]]:
    """The frames in some bytes: their kind, channel and payload."""
    found, at = [], 0
    while at < len(data):
        kind, channel, size = struct.unpack_from(">BHI", data, at)
        found.append((kind, channel, data[at + 7 : at + 7 + size]))
        assert data[at + 7 + size] == frames.FRAME_END
        at += 8 + size
    return found


def header_of(body_size: int, **properties: Any) -> bytes:
    """A content header as RabbitMQ would send it."""
    message = AmqpMessage(b"", **properties)
    return struct.pack(">HHQ", 60, 0, body_size) + message._serialize_properties()


def delivery(body: bytes, tag: int = 1, size: int = 100, **properties: Any) -> bytes:
    """The frames of a delivery, its body in pieces of ``size``."""
    method = struct.pack(">I", frames.DELIVER) + dumps("sLbss", ("q", tag, True, "ex", "key"))
    parts = [
        (frames.FRAME_METHOD, method),
        (frames.FRAME_HEADER, header_of(len(body), **properties)),
    ]
    parts += [(frames.FRAME_BODY, body[at : at + size]) for at in range(0, len(body), size)]
    return b"".join(
        struct.pack(">BHI", kind, 1, len(payload)) + payload + bytes((frames.FRAME_END,))
        for kind, payload in parts
    )


@given(
    headers=st.dictionaries(NAMES, st.one_of(PLAIN, ODD), max_size=6),
    texts=st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(SHORT_NAMES, SHORT),
    ),
    numbers=st.fixed_dictionaries(
        {},
        optional={
            "delivery_mode": st.integers(0, 255),
            "priority": st.integers(0, 255),
            "timestamp": st.integers(0, 2**40),
        },
    ),
)
def test_properties_are_read_as_py_amqp_reads_them(headers, texts, numbers):
    header = header_of(3, application_headers=headers, **texts, **numbers)
    known = AmqpMessage()
    known._load_properties(60, header, 12)
    assert read_properties(header) == known.properties


def test_what_nobody_can_read_is_an_arrival_all_the_same():
    """A time of a year that is far off, and a routing key that is no text."""
    table = b"\x01nT" + (2**60).to_bytes(8, "big")
    far_off = struct.pack(">HHQHI", 60, 0, 0, 1 << 13, len(table)) + table
    method = struct.pack(">I", frames.DELIVER) + b"\x01q" + struct.pack(">QB", 3, 0)
    arrived: list[Arrival] = []
    reader = FrameReader(arrived.append, lambda *_: None)
    for kind, payload in ((1, method + b"\0\x01\xff"), (2, far_off)):
        reader.feed(struct.pack(">BHI", kind, 1, len(payload)) + payload + b"\xce")
    (arrival,) = arrived
    assert arrival.properties == {"content_type": UNREADABLE}
    assert arrival.routing_key == "\ufffd"


@given(
    bodies=st.lists(st.binary(max_size=350), max_size=5),
    cuts=st.lists(st.integers(1, 60), max_size=60),
)
def test_deliveries_arrive_whole_however_the_bytes_come(bodies, cuts):
    data = b"".join(delivery(body, n, message_id=str(n)) for n, body in enumerate(bodies, 1))
    arrived: list[Arrival] = []
    reader = FrameReader(arrived.append, lambda *_: None)
    for cut in cuts:
        reader.feed(data[:cut])
        data = data[cut:]
    reader.feed(data)
    assert [arrival.body for arrival in arrived] == bodies
    assert [arrival.tag for arrival in arrived] == list(range(1, len(bodies) + 1))
    for arrival in arrived:
        assert (arrival.consumer, arrival.exchange, arrival.routing_key) == ("q", "ex", "key")
        assert arrival.redelivered
        assert arrival.properties == {"message_id": str(arrival.tag)}


def test_other_methods_are_told_with_their_arguments():
    told: list[tuple[int, bytes]] = []
    reader = FrameReader(lambda _: None, lambda method, arguments: told.append((method, arguments)))
    close = dumps("BsBB", (0, "", 0, 0))
    reader.feed(frames.method(1, frames.CHANNEL_CLOSE, close) + frames.HEARTBEAT)
    assert told == [(frames.CHANNEL_CLOSE, close)]


@given(
    body=st.binary(max_size=400),
    headers=st.dictionaries(
        NAMES, st.one_of(TEXTS, st.booleans(), st.integers(-(2**63), 2**63 - 1)), max_size=5
    ),
    event_id=SHORT,
    sent=st.integers(0, 2**40),
    priority=st.one_of(st.none(), st.integers(0, 9)),
)
def test_a_published_message_is_what_py_amqp_would_read(body, headers, event_id, sent, priority):
    message = Message(
        exchange="events",
        routing_key="order.paid",
        body=body,
        headers=headers,
        properties={
            "message_id": event_id,
            "correlation_id": "c",
            "timestamp": sent,
            "app_id": "app",
            "delivery_mode": 2,
            **({} if priority is None else {"priority": priority}),
        },
    )
    (kind, channel, method), header, *parts = split(frames.publish(1, message, 100))
    assert (kind, channel) == (frames.FRAME_METHOD, 1)
    assert method == struct.pack(">HHH", 60, 40, 0) + b"\x06events\x0aorder.paid\x00"
    known = AmqpMessage()
    known._load_properties(60, header[2], 12)
    assert known.properties == {
        **message.properties,
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "application_headers": headers,
    }
    assert struct.unpack_from(">HHQ", header[2]) == (60, 0, len(body))
    assert b"".join(part for _, _, part in parts) == body
    assert all(len(part) <= 100 for _, _, part in parts)


@pytest.mark.parametrize(
    "odd",
    [
        {"headers": {"n": 1.5}},
        {"headers": {"n": None}},
        {"headers": {"n": 2**64}},
        {"properties": {"message_id": "x" * 256}},
        {"properties": {"reply_to": "somebody", "user_id": "me"}},
        {"mandatory": True},
    ],
)
def test_what_is_rare_is_left_to_py_amqp(odd):
    given = {"exchange": "", "routing_key": "q", "body": b"", "headers": {}, "properties": {}}
    with pytest.raises(UnusualError):
        frames.publish(1, Message(**{**given, **odd}), 100)


def test_acks_and_rejects():
    told: list[tuple[int, bytes]] = []
    reader = FrameReader(lambda _: None, lambda *each: told.append(each))
    reader.feed(frames.ack(1, 7) + frames.ack(1, 9, multiple=True))
    reader.feed(frames.reject(1, 8, requeue=True))
    tag = struct.Struct(">QB").pack
    assert told == [
        (frames.ACK, tag(7, 0)),
        (frames.ACK, tag(9, 1)),
        (60 << 16 | 90, tag(8, 1)),
    ]
