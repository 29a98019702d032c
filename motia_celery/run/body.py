"""Request bodies: read within the limit, inflated, decoded, and parsed by content type."""

from __future__ import annotations

import asyncio
import codecs
import re
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson
from starlette.types import Receive

from motia_celery.context.request import Upload
from motia_celery.errors import ClientGoneError, FrameworkError
from motia_celery.run.multipart import MultipartError, parse_multipart
from motia_celery.run.query import FORM_DEPTH, MAX_PARAMETERS, nest, split_pairs

#: A larger body is read in a thread, so that other requests go on meanwhile.
_SMALL_BYTES = 64 * 1024
#: The most members of a gzip body; what follows each of them is copied.
_MAX_MEMBERS = 100
#: The deepest JSON that is taken. orjson writes 254 levels: a body that it can read, and not write,
#: could be neither kept nor emitted, nor reach a host of another language, which adds some.
_DEEPEST = 200
_WRITABLE = 254
#: How the window of ``zlib`` is told which of the two formats to read.
_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
#: Python knows codecs that are no charsets (rot13, zlib); these are what browsers know.
_CHARSETS = re.compile(
    r"utf-(8|16|32)(-[lb]e)?|ascii|iso8859-\d+|cp(125\d|866)|koi8-[ru]|gb(18030|k|2312)|big5"
    r"|euc_(jp|kr)|shift_jis|iso2022_jp"
)


class RequestRefusedError(FrameworkError):
    """A request can not be given to a handler; ``status`` is what the client gets."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(what)
        self.args = (status, what)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A request's body: ``value`` for the handler, the exact ``text``, and the ``raw`` bytes."""

    value: Any = field(default_factory=dict)
    text: str = ""
    raw: bytes = b""
    files: dict[str, Any] | None = None


async def read_body(receive: Receive, headers: dict[str, Any], limit_bytes: int) -> Body:
    """The body of a request, parsed by its content type; ``{}`` where there is none.

    Raises:
        RequestRefusedError: 400 malformed, 413 over the limit (also when inflated), 415 unknown
            charset or encoding.
        ClientGoneError: the connection closed.
    """
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) > limit_bytes:
        raise RequestRefusedError(413, "Payload Too Large")
    raw = await _receive_all(receive, limit_bytes)
    if not raw:
        return Body()
    if len(raw) <= _SMALL_BYTES and "content-encoding" not in headers:
        return _read(raw, headers, limit_bytes)
    return await asyncio.to_thread(_read, raw, headers, limit_bytes)


def _read(raw: bytes, headers: dict[str, Any], limit_bytes: int) -> Body:
    return _parse(_inflated(raw, headers, limit_bytes), headers.get("content-type", ""))


async def _receive_all(receive: Receive, limit_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError("the client closed the connection while sending")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit_bytes:
            raise RequestRefusedError(413, "Payload Too Large")
        chunks.append(chunk)
        if not message.get("more_body"):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _inflated(raw: bytes, headers: dict[str, Any], limit_bytes: int) -> bytes:
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        return raw
    window_bits = _WINDOW_BITS.get(encoding)
    if window_bits is None:
        raise RequestRefusedError(415, "Unsupported Content-Encoding")
    try:
        return _inflate(raw, window_bits, limit_bytes)
    except zlib.error as error:
        if encoding != "deflate":
            raise RequestRefusedError(400, "Malformed compressed body") from error
    try:
        # Some clients send "deflate" without the zlib wrapper that the standard asks for.
        return _inflate(raw, -15, limit_bytes)
    except zlib.error as error:
        raise RequestRefusedError(400, "Malformed compressed body") from error


def _inflate(raw: bytes, window_bits: int, limit_bytes: int) -> bytes:
    parts, members = bytearray(), 0
    while raw:
        members += 1
        inflater = zlib.decompressobj(window_bits)
        parts += inflater.decompress(raw, limit_bytes - len(parts) + 1)
        if len(parts) > limit_bytes:
            raise RequestRefusedError(413, "Payload Too Large")
        if not inflater.eof or members > _MAX_MEMBERS:
            raise zlib.error("the compressed body ends too early, or has too many parts")
        raw = inflater.unused_data  # a gzip body may have several members
    return bytes(parts)


def _parse(raw: bytes, content_type: str) -> Body:
    media_type, _, parameters = content_type.partition(";")
    media_type = media_type.strip().lower()
    charset = _charset(parameters)
    if media_type == "application/json" or media_type.endswith("+json"):
        return _json(raw, charset)
    if media_type == "application/x-www-form-urlencoded":
        return _form(raw, charset)
    if media_type == "multipart/form-data":
        return _multipart(raw, content_type)
    if media_type.startswith("text/"):
        text = _decoded(raw, charset)
        return Body(value=text, text=text, raw=raw)
    return Body(text=_text_or_nothing(raw, charset), raw=raw)


def _charset(parameters: str) -> str:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return "utf-8"


@lru_cache(maxsize=64)
def _codec(charset: str) -> str | None:
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        return None
    return name if _CHARSETS.fullmatch(name) else None


def _decoded(raw: bytes, charset: str) -> str:
    codec = _codec(charset)
    if codec is None:
        raise RequestRefusedError(415, "Unsupported charset")
    try:
        return raw.decode(codec)
    except UnicodeDecodeError as error:
        raise RequestRefusedError(400, "The body does not match its charset") from error


def _text_or_nothing(raw: bytes, charset: str) -> str:
    """The text of a body that is not parsed, such as XML; nothing where it is binary."""
    try:
        return _decoded(raw, charset)
    except RequestRefusedError:
        return ""


def _json(raw: bytes, charset: str) -> Body:
    text = _decoded(raw, charset)
    try:
        value = orjson.loads(text.removeprefix("\ufeff"))
    except orjson.JSONDecodeError as error:
        raise RequestRefusedError(400, "Malformed JSON") from error
    if not isinstance(value, (dict, list)):
        raise RequestRefusedError(400, "A JSON body is an object or an array")
    if text.count("{") + text.count("[") > _DEEPEST:
        _require_shallow(value)
    return Body(value=value, text=text, raw=raw)


def _require_shallow(value: Any) -> None:
    for _ in range(_WRITABLE - _DEEPEST):
        value = [value]
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise RequestRefusedError(400, "The JSON is nested too deeply") from error


def _form(raw: bytes, charset: str) -> Body:
    text = _decoded(raw, charset)
    if text.count("&") >= MAX_PARAMETERS:
        raise RequestRefusedError(413, "Too many parameters")
    return Body(value=nest(split_pairs(text, MAX_PARAMETERS), FORM_DEPTH), text=text, raw=raw)


def _multipart(raw: bytes, content_type: str) -> Body:
    try:
        pairs = parse_multipart(raw, content_type)
    except MultipartError as error:
        raise RequestRefusedError(400, f"Malformed form: {error}") from error
    files = nest(((name, part) for name, part in pairs if isinstance(part, Upload)), FORM_DEPTH)
    return Body(value=nest(pairs, FORM_DEPTH), raw=raw, files=files)
