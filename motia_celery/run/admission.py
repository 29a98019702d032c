"""Admission: who may follow streams at all, by a socket or by Server-Sent Events."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from starlette.types import Scope

from motia_celery.errors import AuthenticationError
from motia_celery.run.cors import Cors
from motia_celery.run.requests import read_headers
from motia_celery.settings import Settings

logger = logging.getLogger("motia_celery.streams")

FAILED = "Authentication failed"
#: A client that stays is not asked who it is more often than that.
SHORTEST_SECONDS = 1.0


class Authenticates(Protocol):
    """Finds out who a client is."""

    async def authenticate(self, headers: Mapping[str, Any], url: str, address: str) -> Any:
        """The client's auth context, None for an anonymous one, or AuthenticationError."""


class RefusedError(Exception):
    """A client that does not come in, with the HTTP status that it gets."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(status, text)
        self.status = status
        self.text = text


@dataclass(frozen=True, slots=True)
class Visitor:
    """A client that came in. What it is stays true until ``ends``, in seconds since 1970."""

    auth_context: Any
    ends: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """How long what it is stays true; None for ever."""
        return None if self.ends is None else self.ends - time.time()


class Admission:
    """The rules at the door, for one web process."""

    def __init__(self, settings: Settings, cors: Cors, authentication: Authenticates) -> None:
        self._limit = settings.stream_sockets_per_ip
        self._cors = cors
        self._authentication = authentication
        self._present: Counter[str] = Counter()

    @property
    def present(self) -> int:
        """How many clients follow streams in this process."""
        return self._present.total()

    @contextmanager
    def counted(self, scope: Scope) -> Iterator[None]:
        """Counts the client's address while it is here.

        Raises:
            RefusedError: there are too many from that address.
        """
        address = _address(scope)
        if self._present[address] >= self._limit:
            self._report(address)
            raise RefusedError(429, "Too many connections")
        self._present[address] += 1
        try:
            yield
        finally:
            self._present[address] -= 1
            if not self._present[address]:
                del self._present[address]

    async def admit(self, scope: Scope) -> Visitor:
        """Who the client is.

        Raises:
            RefusedError: its page's origin, or what ``authenticate`` says, keeps it out.
        """
        headers = read_headers(scope["headers"])
        if not self._is_welcome(headers):
            raise RefusedError(403, "Origin not allowed")
        try:
            context = await self._authentication.authenticate(headers, _url(scope), _address(scope))
        except AuthenticationError as error:
            raise RefusedError(401, FAILED) from error
        visitor = Visitor(context, _end(context))
        if visitor.seconds_left is not None and visitor.seconds_left <= 0:
            raise RefusedError(401, FAILED)
        return visitor

    async def renew(self, scope: Scope, visitor: Visitor) -> Visitor:
        """Who the client is now that what it was has come to its end; its request is the same.

        Raises:
            RefusedError: it is kept out, or nothing later than that end is known of it.
        """
        renewed = await self.admit(scope)
        if visitor.ends is not None and renewed.ends is not None and renewed.ends <= visitor.ends:
            raise RefusedError(401, FAILED)
        return renewed

    def _is_welcome(self, headers: Mapping[str, Any]) -> bool:
        """Whether the page is one that may call the routes: browsers let any page open a socket."""
        origin = str(headers.get("origin", ""))
        if not origin or self._cors.allows(origin):
            return True
        return urlsplit(origin).netloc.lower() == str(headers.get("host", "")).lower()

    def _report(self, address: str) -> None:
        logger.warning(
            "Refused a client of streams: %s has %d connections already. If that is a router, "
            "name it in forwarded_allow_ips; or raise stream_sockets_per_ip.",
            address,
            self._limit,
            extra={"action": "streams.too_many"},
        )


def _address(scope: Scope) -> str:
    return str((scope.get("client") or ("",))[0])


def _url(scope: Scope) -> str:
    """Path and query as the client sent them, like ``req.url`` in Node."""
    path = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0].decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


def _end(context: Any) -> float | None:
    """The context's ``exp`` (seconds since 1970) or ``expiresAt`` (ms, or ISO 8601)."""
    if not isinstance(context, Mapping):
        return None
    ends = [_as_seconds(context.get("exp"), 1)]
    ends += [_as_seconds(context.get(name), 1000) for name in ("expiresAt", "expires_at")]
    known = [end for end in ends if end is not None]
    return min(known, default=None)


def _as_seconds(value: Any, units: int) -> float | None:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value / units if math.isfinite(value) else None
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value).timestamp()
    except ValueError:
        return None
