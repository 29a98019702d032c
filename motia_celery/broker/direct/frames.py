"""AMQP 0-9-1 frames, read and written without an object for each: the few that deliveries need.

Of a message's headers and properties the common types are read here; py-amqp reads what has others.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from amqp.basic_message import Message

FRAME_METHOD, FRAME_HEADER, FRAME_BODY, FRAME_HEARTBEAT = 1, 2, 3, 8
FRAME_END = 0xCE
HEARTBEAT = struct.pack(">BHIB", FRAME_HEARTBEAT, 0, 0, FRAME_END)

#: Methods as (class, method) in one number.
CONNECTION_CLOSE, CONNECTION_CLOSE_OK = 10 << 16 | 50, 10 << 16 | 51
CHANNEL_CLOSE = 20 << 16 | 40
CONSUME_OK, CANCEL, CANCEL_OK = 60 << 16 | 21, 60 << 16 | 30, 60 << 16 | 31
DELIVER = 60 << 16 | 60

_HEAD = struct.Struct(">BHI")
_ACK = struct.Struct(">BHIIQBB")
_U32 = struct.Struct(">I")
_BODY_SIZE = struct.Struct(">QH")
_ACK_METHOD, _REJECT_METHOD = 60 << 16 | 80, 60 << 16 | 90

#: The properties of a message in the order of their flags; the headers are the third.
_TEXTS_BEFORE = (("content_type", 1 << 15), ("content_encoding", 1 << 14))
_OCTETS = (("delivery_mode", 1 << 12), ("priority", 1 << 11))
_TEXTS_BETWEEN = (
    ("correlation_id", 1 << 10),
    ("reply_to", 1 << 9),
    ("expiration", 1 << 8),
    ("message_id", 1 << 7),
)
_TEXTS_AFTER = (("type", 1 << 5), ("user_id", 1 << 4), ("app_id", 1 << 3), ("cluster_id", 1 << 2))
_HEADERS, _TIMESTAMP = 1 << 13, 1 << 6


@dataclass(slots=True)
class Arrival:
    """One delivery. ``properties`` are named as py-amqp names them."""

    consumer: str
    tag: int
    redelivered: bool
    exchange: str
    routing_key: str
    properties: dict[str, Any]
    body: bytes


class FrameReader:
    """Cuts what comes in into arrivals, and methods that are none.

    ``arrived`` gets each delivery, ``told`` each other method as its number and its arguments.
    """

    def __init__(
        self, arrived: Callable[[Arrival], None], told: Callable[[int, bytes], None]
    ) -> None:
        self._arrived = arrived
        self._told = told
        self._rest = b""
        self._method = b""
        self._header = b""
        self._missing = 0
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Takes the next bytes of the connection."""
        if self._rest:
            data = self._rest + data
        position, length = 0, len(data)
        while position + 7 <= length:
            kind, _, size = _HEAD.unpack_from(data, position)
            end = position + 7 + size
            if end >= length:
                break
            self._frame(kind, data[position + 7 : end])
            position = end + 1
        self._rest = data[position:]

    def _frame(self, kind: int, payload: bytes) -> None:
        if kind == FRAME_METHOD:
            (method,) = _U32.unpack_from(payload)
            if method == DELIVER:
                self._method = payload
            else:
                self._told(method, payload[4:])
        elif kind == FRAME_HEADER:
            self._header = payload
            self._missing = int.from_bytes(payload[4:12], "big")
            self._parts.clear()
            if not self._missing:
                self._complete(b"")
        elif kind == FRAME_BODY:
            self._missing -= len(payload)
            if self._missing > 0 or self._parts:
                self._parts.append(payload)
            if self._missing <= 0:
                self._complete(b"".join(self._parts) if self._parts else payload)

    def _complete(self, body: bytes) -> None:
        method, parts = self._method, self._parts
        consumer, at = _text(method, 4)
        tag = int.from_bytes(method[at : at + 8], "big")
        redelivered = bool(method[at + 8] & 1)
        exchange, at = _text(method, at + 9)
        routing_key, at = _text(method, at)
        if parts:
            parts.clear()
        self._arrived(
            Arrival(
                consumer,
                tag,
                redelivered,
                exchange,
                routing_key,
                read_properties(self._header),
                body,
            )
        )


def read_properties(header: bytes) -> dict[str, Any]:
    """The properties in a content header, with ``application_headers``."""
    try:
        return _properties(header)
    except _UnusualError:
        message = Message()
        message._load_properties(60, header, 12)
        properties: dict[str, Any] = message.properties
        return properties


class _UnusualError(Exception):
    """A value of a type that is rare in headers."""


def _properties(header: bytes) -> dict[str, Any]:
    flags = header[12] << 8 | header[13]
    if flags & 1:
        raise _UnusualError
    at = 14
    found: dict[str, Any] = {}
    for name, flag in _TEXTS_BEFORE:
        if flags & flag:
            found[name], at = _text(header, at)
    if flags & _HEADERS:
        end = at + 4 + int.from_bytes(header[at : at + 4], "big")
        found["application_headers"] = _table(header, at + 4, end)
        at = end
    for name, flag in _OCTETS:
        if flags & flag:
            found[name] = header[at]
            at += 1
    for name, flag in _TEXTS_BETWEEN:
        if flags & flag:
            found[name], at = _text(header, at)
    if flags & _TIMESTAMP:
        found["timestamp"] = int.from_bytes(header[at : at + 8], "big")
        at += 8
    for name, flag in _TEXTS_AFTER:
        if flags & flag:
            found[name], at = _text(header, at)
    return found


def _table(data: bytes, at: int, end: int) -> dict[str, Any]:
    table: dict[str, Any] = {}
    while at < end:
        stop = at + 1 + data[at]
        name = data[at + 1 : stop].decode()
        kind = data[stop]
        at = stop + 1
        if kind == 83:  # S: a long string
            stop = at + 4 + int.from_bytes(data[at : at + 4], "big")
            table[name] = data[at + 4 : stop].decode()
            at = stop
        elif kind == 73:  # I
            table[name] = int.from_bytes(data[at : at + 4], "big", signed=True)
            at += 4
        elif kind == 108:  # l
            table[name] = int.from_bytes(data[at : at + 8], "big", signed=True)
            at += 8
        elif kind == 116:  # t
            table[name] = bool(data[at])
            at += 1
        elif kind == 86:  # V
            table[name] = None
        else:
            raise _UnusualError
    return table


def _text(data: bytes, at: int) -> tuple[str, int]:
    end = at + 1 + data[at]
    return data[at + 1 : end].decode(), end


def ack(channel: int, tag: int, *, multiple: bool = False) -> bytes:
    """The frame that acknowledges a delivery, and with ``multiple`` all before it."""
    return _ACK.pack(FRAME_METHOD, channel, 13, _ACK_METHOD, tag, multiple, FRAME_END)


def reject(channel: int, tag: int, *, requeue: bool) -> bytes:
    """The frame that gives a delivery back, or makes a dead letter of it."""
    return _ACK.pack(FRAME_METHOD, channel, 13, _REJECT_METHOD, tag, requeue, FRAME_END)


def qos(channel: int, prefetch: int) -> bytes:
    """The frame that bounds the deliveries of the consumers that follow."""
    return method(channel, 60 << 16 | 10, struct.pack(">IHB", 0, prefetch, 0))


def consume(channel: int, queue: str, consumer: str) -> bytes:
    """The frame that starts consuming."""
    names = struct.pack(">H", 0) + short(queue) + short(consumer)
    return method(channel, 60 << 16 | 20, names + struct.pack(">BI", 0, 0))


def cancel(channel: int, consumer: str) -> bytes:
    """The frame that stops consuming; what was delivered stays."""
    return method(channel, CANCEL, short(consumer) + b"\0")


def method(channel: int, number: int, arguments: bytes = b"") -> bytes:
    """A method's frame."""
    payload = _U32.pack(number) + arguments
    return _HEAD.pack(FRAME_METHOD, channel, len(payload)) + payload + bytes((FRAME_END,))


def short(text: str) -> bytes:
    """A short string."""
    data = text.encode()
    return bytes((len(data),)) + data


def close_reason(arguments: bytes) -> str:
    """Why the broker closes a channel or the connection."""
    code = int.from_bytes(arguments[:2], "big")
    return f"{code} {_text(arguments, 2)[0]}"
