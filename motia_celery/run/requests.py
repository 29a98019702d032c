"""The request as a handler receives it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.types import Receive, Scope

from motia_celery.run.body import Body, read_body
from motia_celery.run.query import parse_query

_ALIASES = {
    "path_params": "pathParams",
    "query_params": "queryParams",
    "raw_body": "rawBody",
}
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


class Request(dict[str, Any]):
    """A request: ``pathParams``, ``queryParams``, ``body``, ``headers``, ``rawBody``.

    A plain dict that middleware may change, and whose keys are attributes as well, in either
    spelling (``req.path_params``). A multipart request has ``files`` too. ``raw_bytes`` is the
    body as it came, after inflating; ``method`` and ``path`` are the request's own.
    """

    __slots__ = ("method", "path", "raw_bytes")

    method: str
    path: str
    raw_bytes: bytes

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        method: str = "GET",
        path: str = "/",
        raw_bytes: bytes = b"",
    ) -> None:
        super().__init__(values or {})
        object.__setattr__(self, "method", method)
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "raw_bytes", raw_bytes)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the request has no {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__slots__:
            object.__setattr__(self, name, value)
        else:
            self[_ALIASES.get(name, name)] = value

    def __missing__(self, key: str) -> Any:
        alias = _ALIASES.get(key)
        if alias is None or alias not in self:
            raise KeyError(key)
        return self[alias]

    def get(self, key: str, default: Any = None) -> Any:
        """The value of ``key`` in either spelling, or ``default``."""
        try:
            return self[key]
        except KeyError:
            return default


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
