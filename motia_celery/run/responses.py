"""What a handler returned, as an HTTP response."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePath
from typing import Any

import orjson
from pydantic import BaseModel
from starlette.types import Send

from motia_celery.errors import ResponseError

Header = tuple[bytes, bytes]

#: In a response's start: its body follows at once, so that both may be sent together.
WHOLE = "motia_celery.whole"
JSON_TYPE = b"application/json; charset=utf-8"
_HTML_TYPE = b"text/html; charset=utf-8"
_BYTES_TYPE = b"application/octet-stream"
_CHARSET = re.compile(rb";\s*charset=[^;]*", re.IGNORECASE)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
#: The server itself frames the message; a handler's word on it could only break it.
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection"})
#: A list that a response may add to, where others stand for the whole.
_ADDED = frozenset({b"vary"})
#: These have no body, whatever the handler returned (RFC 9110).
BODYLESS = frozenset({204, 205, 304})


@dataclass(frozen=True, slots=True)
class Response:
    """A response ready to be sent; ``headers`` have lower-cased names and no content-length."""

    status: int
    body: bytes = b""
    headers: tuple[Header, ...] = ()

    def with_headers(self, extra: Iterable[Header]) -> Response:
        """The response with ``extra`` headers where it has none of that name."""
        present = {name for name, _ in self.headers} - _ADDED
        added = [header for header in extra if header[0] not in present]
        return Response(self.status, self.body, (*self.headers, *added))

    async def send(self, send: Send, *, head: bool = False) -> None:
        """Sends it; for a HEAD request without its body."""
        headers = list(self.headers)
        if self.status not in (204, 304):
            headers.append((b"content-length", b"%d" % len(self.body)))
        start: dict[str, Any] = {"type": "http.response.start", WHOLE: True}
        start["status"], start["headers"] = self.status, headers
        await send(start)
        await send({"type": "http.response.body", "body": b"" if head else self.body})


def json_response(status: int, value: Any) -> Response:
    """A response of our own, as JSON."""
    return Response(status, orjson.dumps(value), ((b"content-type", JSON_TYPE),))


def error_response(status: int, error: str) -> Response:
    """``{"error": …}``, the shape of every error that the framework answers with."""
    return json_response(status, {"error": error})


def build_response(result: Any, where: str = "", status: int | None = None) -> Response:
    """The response that a handler's ``{"status", "body", "headers"}`` asks for.

    Motia 1.0's ``status_code`` stands for ``status``; the argument for one that is missing.

    Raises:
        ResponseError: it is no such dict, or a header or the body can not be sent.
    """
    if not isinstance(result, Mapping) or not result:
        returned = "nothing" if not result else type(result).__name__
        raise ResponseError(
            f"the handler returned {returned}.", where, 'Return {"status": 200, "body": …}.'
        )
    head = response_head(
        result.get("status", result.get("status_code", status)), result.get("headers"), where
    )
    if head.status in BODYLESS:
        return head
    body, content_type = _body(result.get("body"), where)
    typed = ((b"content-type", content_type),) if content_type else ()
    if not head.headers:
        return Response(head.status, body, typed)
    # Text and JSON are sent in UTF-8, and clients would take another charset for granted.
    is_text = content_type in (_HTML_TYPE, JSON_TYPE)
    headers = tuple(map(_in_utf8, head.headers)) if is_text else head.headers
    return Response(head.status, body, headers).with_headers(typed)


def _in_utf8(header: Header) -> Header:
    """The header; where it is the content type, with the charset."""
    name, value = header
    if name != b"content-type":
        return header
    return name, _CHARSET.sub(b"", value) + b"; charset=utf-8"


def response_head(status: Any, headers: Any, where: str = "") -> Response:
    """A response without a body.

    Raises:
        ResponseError: the status or a header can not be sent.
    """
    checked = tuple(_headers(headers, where)) if headers is not None else ()
    return Response(_status(status, where), b"", checked)


def _status(status: Any, where: str) -> int:
    # 1xx can not be final: the client would go on waiting.
    if isinstance(status, int) and not isinstance(status, bool) and 200 <= status <= 599:
        return int(status)
    raise ResponseError(
        f"the handler's status is {status!r}.", where, "Return a status from 200 to 599."
    )


def _headers(headers: Any, where: str) -> Iterable[Header]:
    if not isinstance(headers, Mapping):
        raise ResponseError("the headers are not a dict.", where, "Return a dict of headers.")
    for name, value in headers.items():
        for single in value if isinstance(value, (list, tuple)) else (value,):
            if single is not None:
                header = _header(name, single, where)
                if header[0] not in _FRAMING:
                    yield header


def _header(name: Any, value: Any, where: str) -> Header:
    text = str(value) if isinstance(value, (str, int, float)) else None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ResponseError(f"the header name {name!r} can not be sent.", where, "Correct it.")
    if text is None or _CONTROL.search(text):
        raise ResponseError(
            f"the value of the header {name!r} can not be sent.",
            where,
            "Use text without line breaks or other control characters.",
        )
    try:
        return name.lower().encode("ascii"), text.strip().encode("latin-1")
    except UnicodeEncodeError as error:
        raise ResponseError(
            f"the value of the header {name!r} can not be sent.",
            where,
            "Header values are Latin-1; percent-encode other text.",
        ) from error


def _body(body: Any, where: str) -> tuple[bytes, bytes | None]:
    """The bytes, and the content type that stands where the handler gave none."""
    if body is None:
        return b"", None
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body), _BYTES_TYPE
    try:
        if isinstance(body, str):
            return body.encode(), _HTML_TYPE
        buffer = _node_buffer(body)
        if buffer is not None:
            return buffer, _BYTES_TYPE
        return orjson.dumps(body, _jsonable, orjson.OPT_NON_STR_KEYS), JSON_TYPE
    except (orjson.JSONEncodeError, UnicodeEncodeError) as error:
        raise ResponseError(
            f"the body can not be sent: {error}.", where, "Return what JSON can hold, or bytes."
        ) from error


def _node_buffer(body: Any) -> bytes | None:
    """The bytes of a Node ``Buffer``, as its JSON form describes them."""
    if not isinstance(body, Mapping) or body.keys() != {"type", "data"}:
        return None
    data = body["data"]
    if body["type"] != "Buffer" or not isinstance(data, list):
        return None
    try:
        return bytes(data)
    except (TypeError, ValueError):
        return None


def _jsonable(value: Any) -> Any:
    """JSON for the types that orjson does not know."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, (Decimal, PurePath)):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
