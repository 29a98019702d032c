"""The request as a handler receives it: the first argument of an http Step's handler."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from motia_celery.context.current import current_context
from motia_celery.context.response import Reply, RequestBody, WrittenResponse
from motia_celery.errors import ConfigError

if TYPE_CHECKING:
    from typing_extensions import TypeVar as DefaultTypeVar

    B = DefaultTypeVar("B", default=Any)
else:
    B = TypeVar("B")

_ALIASES = {
    "path_params": "pathParams",
    "query_params": "queryParams",
    "raw_body": "rawBody",
}

#: What Motia 1.0's argument holds beside the request's own keys.
_MEMBERS = frozenset({"method", "request", "response", "request_body"})


class Upload(dict[str, Any]):
    """One uploaded file: ``filename``, ``contentType``, ``content`` (bytes) and ``size``.

    Attributes work too, ``content_type`` among them.
    """

    def __getattr__(self, name: str) -> Any:
        key = "contentType" if name == "content_type" else name
        try:
            return self[key]
        except KeyError:
            raise AttributeError(name) from None


class Request(dict[str, Any], Generic[B]):
    """A request: ``pathParams``, ``queryParams``, ``body``, ``headers``, ``rawBody``.

    A plain dict that middleware may change, and whose keys are attributes as well, in either
    spelling (``req.path_params``). A multipart request has ``files`` too. ``raw_bytes`` is the
    body as it came, after inflating; ``method`` and ``path`` are the request's own.

    A handler annotated with ``Request[Order]``, of a pydantic model, gets an ``Order`` as ``body``.
    """

    __slots__ = ("method", "path", "raw_bytes", "reply")

    method: str
    path: str
    raw_bytes: bytes
    #: Where a response that the handler writes itself goes.
    reply: Reply | None

    if TYPE_CHECKING:  # keys that are attributes as well
        body: B
        headers: dict[str, Any]
        path_params: dict[str, str]
        query_params: dict[str, Any]
        raw_body: str
        files: dict[str, Any]

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        method: str = "GET",
        path: str = "/",
        raw_bytes: bytes = b"",
        reply: Reply | None = None,
    ) -> None:
        super().__init__(values or {})
        object.__setattr__(self, "reply", reply)
        object.__setattr__(self, "method", method)
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "raw_bytes", raw_bytes)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            if name == "request":  # Motia 1.0's argument holds it beside a response
                return self
            if name == "request_body":
                return RequestBody(self.raw_bytes)
            raise AttributeError(f"the request has no {name!r}") from None

    # Copies answer the same client, as the connection itself can not be copied; in another process
    # there is none.

    def __copy__(self) -> Request[B]:
        return self._with(dict(self), self.reply)

    def __deepcopy__(self, memo: dict[int, Any]) -> Request[B]:
        return self._with(copy.deepcopy(dict(self), memo), self.reply)

    def __reduce__(self) -> tuple[Any, ...]:
        made = partial(Request, method=self.method, path=self.path, raw_bytes=self.raw_bytes)
        return made, (dict(self),)

    def _with(self, values: Mapping[str, Any], reply: Reply | None) -> Request[B]:
        return Request(
            values, method=self.method, path=self.path, raw_bytes=self.raw_bytes, reply=reply
        )

    @property
    def response(self) -> WrittenResponse:
        """The response, for a handler that writes it instead of returning one.

        Raises:
            ConfigError: nobody waits for it here.
        """
        if self.reply is None:
            raise ConfigError("there is no response to write to here.", "", "Return a response.")
        return current_context().response_to(self.reply)

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
        """The value of ``key`` in either spelling, or ``default``.

        As in Motia 1.0, ``method``, ``request``, ``response`` and ``request_body`` are found too.
        """
        try:
            return self[key]
        except KeyError:
            return getattr(self, key) if self._has_member(key) else default

    def _has_member(self, key: str) -> bool:
        return key in _MEMBERS and (key != "response" or self.reply is not None)
