"""Deliveries that py-amqp can not read: they are to be refused, and not to end the worker.

Any AMQP client may send a header with a time of the year 300,000 or thousands of tables in one
another, or a routing key that is no text. RabbitMQ passes it on, and py-amqp raises in the middle
of the worker's loop: the worker would end, and so would the next one that is given the message.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import pack
from typing import Any, Final

from amqp import spec
from amqp.method_framing import frame_handler

#: The content type of a delivery whose properties could not be read, and were left out.
UNREADABLE: Final = "application/x-unreadable"

_CONTENT_HEADER = 2
#: The first of a content header's bytes: its class, a weight, and the size of the body.
_SIZES = 12
_HAS_CONTENT_TYPE = 1 << 15
#: A delivery begins with its method's number and the consumer's tag; its own tag follows, and
#: whether it comes again, then its exchange and its routing key.
_METHOD_BYTES = 4
_TAG_BYTES = 9
_SHORT = 255

Frame = tuple[int, int, bytes]
Callback = Callable[[int, tuple[int, int], bytes, Any], Any]


class ReadableFrames:
    """A ``frame_handler`` for py-amqp's connections."""

    def __call__(self, connection: Any, callback: Callback) -> Callable[[Frame], Any]:
        """What takes the frames of one connection."""
        reader = _Reader(callback)
        reader.on_frame = frame_handler(connection, reader.read)
        return reader

    def __repr__(self) -> str:
        return type(self).__name__

    __json__ = __repr__  # `inspect stats` sends the options of the worker's connection


class _Reader:
    """The frames of one connection, on their way to py-amqp's own reader and from there."""

    on_frame: Callable[[Frame], Any]

    def __init__(self, callback: Callback) -> None:
        self._callback = callback
        self._was_read = False

    def __call__(self, frame: Frame) -> Any:
        self._was_read = False
        try:
            return self.on_frame(frame)
        except Exception:
            kind, channel, payload = frame
            if self._was_read or kind != _CONTENT_HEADER:
                raise
        return self.on_frame((kind, channel, _without_properties(payload)))

    def read(self, channel: int, method: tuple[int, int], arguments: bytes, content: Any) -> Any:
        """Passes a whole method or message on."""
        self._was_read = True
        if method == spec.Basic.Deliver:
            arguments = _with_readable_key(arguments)
        return self._callback(channel, method, arguments, content)


def _without_properties(header: bytes) -> bytes:
    kind = UNREADABLE.encode()
    return bytes(header[:_SIZES]) + pack(">HB", _HAS_CONTENT_TYPE, len(kind)) + kind


def _with_readable_key(arguments: bytes) -> bytes:
    """A delivery's arguments, whose routing key is text."""
    exchange = _METHOD_BYTES + 1 + arguments[_METHOD_BYTES] + _TAG_BYTES
    key = exchange + 1 + arguments[exchange]
    given = bytes(arguments[key + 1 :])
    try:
        given.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = given.decode(errors="replace").encode()[:_SHORT]
        text = text.decode(errors="ignore").encode()
        return bytes(arguments[:key]) + pack(">B", len(text)) + text
    return arguments
