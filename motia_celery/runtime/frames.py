"""Frames: the messages between this process and a host of another language.

A frame is a 4-byte big-endian length and as many bytes of UTF-8 JSON. Bytes travel as
``{"$bytes": "<base64>"}``. ``docs/frames.md`` describes every message.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import PurePath
from typing import Any

import orjson

from motia_celery.errors import FrameError
from motia_celery.stores.values import is_model

PROTOCOL = 1
DEFAULT_LIMIT_BYTES = 64 * 1024 * 1024

_BYTES = "$bytes"
_OBJECT = "$object"
_MARK = b'"$'  # no frame without it holds a mark
_LENGTH = struct.Struct(">I")
_OPTIONS = orjson.OPT_NON_STR_KEYS

Message = dict[str, Any]


def encode(message: Mapping[str, Any], limit_bytes: int = DEFAULT_LIMIT_BYTES) -> bytes:
    """The message as one frame.

    Raises:
        FrameError: it is larger than the limit, or holds what JSON can not.
    """
    try:
        body = orjson.dumps(message, _known, _OPTIONS)
        if _MARK in body:
            body = orjson.dumps(_marked(message), _known, _OPTIONS)
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise FrameError(
            f"a value can not cross to another process: {error}.", "", "Pass what JSON can hold."
        ) from error
    if len(body) > limit_bytes:
        raise FrameError(
            f"a value is {len(body)} bytes as JSON; {limit_bytes} are allowed.",
            "",
            "Pass a reference to it, such as a URL or a key in state.",
        )
    return _LENGTH.pack(len(body)) + body


def _known(value: Any) -> Any:
    """JSON for the types that orjson does not know."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {_BYTES: base64.b64encode(value).decode("ascii")}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, (Decimal, PurePath)):
        return str(value)
    if is_model(value):
        return value.model_dump(mode="json", by_alias=True)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _marked(value: Any) -> Any:
    """The value with each object that looks like a mark put into one."""
    if isinstance(value, (list, tuple)):
        return [_marked(part) for part in value]
    if not isinstance(value, Mapping):
        return value
    inner = {key: _marked(part) for key, part in value.items()}
    return {_OBJECT: inner} if _is_mark(value) else inner


def _is_mark(value: Mapping[Any, Any]) -> bool:
    return len(value) == 1 and (_BYTES in value or _OBJECT in value)


def decode(body: bytes | bytearray) -> Message:
    """The message in a frame's body.

    Raises:
        FrameError: it is none.
    """
    try:
        message = orjson.loads(body)
        if _MARK in body:
            message = _revived(message)
    except (ValueError, TypeError, RecursionError, AttributeError) as error:
        raise FrameError(f"a frame is not valid: {error}.") from error
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise FrameError("a frame holds no message.")
    return message


def _revived(value: Any) -> Any:
    if isinstance(value, list):
        return [_revived(part) for part in value]
    if not isinstance(value, dict):
        return value
    if _is_mark(value):
        if _BYTES in value:
            return base64.b64decode(value[_BYTES], validate=True)
        value = value[_OBJECT]
    return {key: _revived(part) for key, part in value.items()}


class FrameReader:
    """Cuts what a socket gives into messages."""

    def __init__(self, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that are whole now.

        Raises:
            FrameError: a frame is too large or no message; the connection is of no more use.
        """
        if self._held:
            self._held += data
        source = self._held or data
        start = 0
        try:
            while len(source) - start >= 4:
                end = start + 4 + self._length(source, start)
                if end > len(source):
                    return
                body = source[start + 4 : end]
                start = end
                yield decode(body)
        finally:
            self._hold(source, start)

    def _length(self, source: bytes | bytearray, start: int) -> int:
        length = int.from_bytes(source[start : start + 4])
        if length > self.limit_bytes:
            raise FrameError(f"a frame of {length} bytes came in; {self.limit_bytes} are allowed.")
        return length

    def _hold(self, source: bytes | bytearray, start: int) -> None:
        """Keeps what came of a frame that is not whole."""
        if source is self._held:
            del self._held[:start]
        else:
            self._held += source[start:]
