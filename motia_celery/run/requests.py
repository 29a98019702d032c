"""Reading a request from the server into the form that a handler receives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.types import Receive, Scope

from motia_celery.context.request import Request
from motia_celery.run.body import Body, read_body
from motia_celery.run.query import parse_query

#: Headers that can only be given once; Node keeps the first of them.
_SINGLE = frozenset(
    {
        "age",
        "authorization",
        "content-length",
        "content-type",
        "etag",
        "expires",
        "from",
        "host",
        "if-modified-since",
        "if-unmodified-since",
        "last-modified",
        "location",
        "max-forwards",
        "proxy-authorization",
        "referer",
        "retry-after",
        "server",
        "user-agent",
    }
)


async def read_request(
    scope: Scope,
    receive: Receive,
    headers: dict[str, Any],
    path_params: dict[str, str],
    limit_bytes: int,
) -> Request:
    """The request that a handler gets; ``headers`` are those of :func:`read_headers`.

    Raises:
        RequestRefusedError: the body can not be read.
        ClientGoneError: the connection closed.
    """
    body = await read_body(receive, headers, limit_bytes)
    query = scope["query_string"].decode("utf-8", "replace")
    return _request(scope, body, headers, path_params, parse_query(query))


def _request(
    scope: Scope,
    body: Body,
    headers: dict[str, Any],
    path_params: dict[str, str],
    query_params: dict[str, Any],
) -> Request:
    values = {
        "pathParams": path_params,
        "queryParams": query_params,
        "body": body.value,
        "headers": headers,
        "rawBody": body.text,
    }
    if body.files is not None:
        values["files"] = body.files
    return Request(values, method=scope["method"], path=scope["path"], raw_bytes=body.raw)


def read_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, Any]:
    """Headers with lower-cased names and duplicates joined as Node does; set-cookie is a list."""
    headers: dict[str, Any] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name == "set-cookie":
            headers.setdefault(name, []).append(value)
        elif name not in headers:
            headers[name] = value
        elif name not in _SINGLE:
            headers[name] += ("; " if name == "cookie" else ", ") + value
    return headers
