"""AMQP 0-9-1 frames, read and written without an object for each: the few that deliveries need.

Of a message's headers and properties the common types are read here; py-amqp reads what has others.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from amqp.basic_message import Message as AmqpMessage

from motia_celery.broker.unreadable import UNREADABLE
from motia_celery.broker.wire import Message

FRAME_METHOD, FRAME_HEADER, FRAME_BODY, FRAME_HEARTBEAT = 1, 2, 3, 8
FRAME_END = 0xCE
HEARTBEAT = struct.pack(">BHIB", FRAME_HEARTBEAT, 0, 0, FRAME_END)

#: Methods as (class, method) in one number.
CONNECTION_CLOSE, CONNECTION_CLOSE_OK = 10 << 16 | 50, 10 << 16 | 51
#: The arguments of a close without a fault.
GOODBYE = struct.pack(">HBHH", 200, 0, 0, 0)
CHANNEL_CLOSE = 20 << 16 | 40
CONSUME_OK, CANCEL, CANCEL_OK = 60 << 16 | 21, 60 << 16 | 30, 60 << 16 | 31
DELIVER, ACK, NACK = 60 << 16 | 60, 60 << 16 | 80, 60 << 16 | 120

_HEAD = struct.Struct(">BHI")
_ACK = struct.Struct(">BHIIQBB")
_U32 = struct.Struct(">I")
_CONTENT = struct.Struct(">HHQ")
_END = bytes((FRAME_END,))
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
#: The properties that are written here.
_WRITTEN = frozenset({*(name for name, _ in (*_OCTETS, *_TEXTS_BETWEEN)), "timestamp", "app_id"})

#: Those of most messages, which are written without a look for each of the others.
_OF_EVENTS = frozenset({"delivery_mode", "correlation_id", "message_id", "timestamp", "app_id"})
_FLAGS_OF_EVENTS = 1 << 12 | 1 << 10 | 1 << 7 | _TIMESTAMP | 1 << 3


class UnusualError(Exception):
    """A value that is rare: py-amqp knows how to read and write it."""


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
        # A routing key need not be text; it is needed for its topic alone.
        routing_key = method[at + 1 :].decode(errors="replace")
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
    """The properties in a content header, with ``application_headers``.

    Of a message whose properties nobody can read they are its content type, ``UNREADABLE``.
    """
    with suppress(UnusualError, ValueError, IndexError):
        return _properties(header)
    message = AmqpMessage()
    try:
        message._load_properties(60, header, 12)
    except Exception:  # any AMQP client may send what py-amqp raises on
        return {"content_type": UNREADABLE}
    properties: dict[str, Any] = message.properties
    return properties


def _properties(header: bytes) -> dict[str, Any]:
    flags = header[12] << 8 | header[13]
    if flags & 1:
        raise UnusualError
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
            raise UnusualError
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


def publish(channel: int, message: Message, frame_bytes: int) -> bytes:
    """The frames of a message, each with at most ``frame_bytes`` of its body.

    Raises:
        UnusualError: a header or property is of a kind that is not written here.
    """
    body = message.body
    properties = _written(message)
    parts = [
        _publish_method(channel, message.exchange, message.routing_key),
        _HEAD.pack(FRAME_HEADER, channel, 12 + len(properties)),
        _CONTENT.pack(60, 0, len(body)),
        properties,
        _END,
    ]
    for at in range(0, len(body), frame_bytes):
        part = body[at : at + frame_bytes]
        parts += (_HEAD.pack(FRAME_BODY, channel, len(part)), part, _END)
    return b"".join(parts)


@lru_cache(1024)
def _publish_method(channel: int, exchange: str, routing_key: str) -> bytes:
    names = struct.pack(">H", 0) + short(exchange) + short(routing_key)
    return method(channel, 60 << 16 | 40, names + b"\0")


def _written(message: Message) -> bytes:
    """A message's property flags and properties."""
    given = message.properties
    if message.mandatory or not given.keys() <= _WRITTEN:
        raise UnusualError
    flags, types = _written_types(message.content_type, message.content_encoding)
    texts = [types, _written_table(message.headers)]
    if given.keys() == _OF_EVENTS:
        texts += (
            bytes((given["delivery_mode"],)),
            short(given["correlation_id"]),
            short(given["message_id"]),
            given["timestamp"].to_bytes(8, "big"),
            _written_name(given["app_id"]),
        )
        return (flags | _FLAGS_OF_EVENTS).to_bytes(2, "big") + b"".join(texts)
    for name, flag in _OCTETS:
        if (octet := given.get(name)) is not None:
            flags |= flag
            texts.append(bytes((octet,)))
    for name, flag in _TEXTS_BETWEEN:
        if (text := given.get(name)) is not None:
            flags |= flag
            texts.append(short(text))
    if (moment := given.get("timestamp")) is not None:
        flags |= _TIMESTAMP
        texts.append(moment.to_bytes(8, "big"))
    if (app_id := given.get("app_id")) is not None:
        flags |= 1 << 3
        texts.append(short(app_id))
    return flags.to_bytes(2, "big") + b"".join(texts)


@lru_cache(64)
def _written_types(content_type: str | None, content_encoding: str | None) -> tuple[int, bytes]:
    """The flags, with that of the headers, and what stands before these."""
    flags, texts = _HEADERS, []
    for value, flag in ((content_type, 1 << 15), (content_encoding, 1 << 14)):
        if value is not None:
            flags |= flag
            texts.append(short(value))
    return flags, b"".join(texts)


@lru_cache(64)
def _written_name(text: str) -> bytes:
    return short(text)


def _written_table(headers: Mapping[str, Any]) -> bytes:
    parts: list[bytes] = []
    for name, value in headers.items():
        if type(value) is str:
            data = value.encode()
            parts += (_named(name, b"S"), _U32.pack(len(data)), data)
        elif type(value) is bool:
            parts.append(_named(name, b"t") + bytes((value,)))
        elif type(value) is int and -(1 << 63) <= value < 1 << 63:
            parts.append(_named(name, b"l") + value.to_bytes(8, "big", signed=True))
        else:
            raise UnusualError
    table = b"".join(parts)
    return _U32.pack(len(table)) + table


@lru_cache(256)
def _named(name: str, kind: bytes) -> bytes:
    return short(name) + kind


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
    """A short string.

    Raises:
        UnusualError: it is too long for one.
    """
    data = text.encode()
    if len(data) > 255:
        raise UnusualError
    return bytes((len(data),)) + data


def close_reason(arguments: bytes) -> str:
    """Why the broker closes a channel or the connection."""
    code = int.from_bytes(arguments[:2], "big")
    return f"{code} {_text(arguments, 2)[0]}"
