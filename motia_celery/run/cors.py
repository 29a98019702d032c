"""CORS for the user's routes: open as in Motia, unless the settings name the origins."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from motia_celery.run.responses import Header
from motia_celery.settings import Settings

log = logging.getLogger("motia_celery.web")

_OPEN: tuple[Header, ...] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"*"),
    (b"access-control-allow-headers", b"*"),
    (b"access-control-max-age", b"600"),
    (b"access-control-allow-private-network", b"true"),
)
_VARY: Header = (b"vary", b"origin")
#: With credentials, ``*`` means the letter itself, so the methods are named.
_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


class Cors:
    """Gives the CORS headers of one response."""

    def __init__(self, settings: Settings) -> None:
        self._any_origin = "*" in settings.cors_origins
        self._origins = frozenset(origin.rstrip("/").lower() for origin in settings.cors_origins)
        self._credentials = settings.cors_credentials and not self._any_origin
        if settings.cors_credentials and self._any_origin:
            log.warning(
                "cors_credentials has no effect while cors_origins is *. Name the origins.",
                extra={"action": "web.cors_credentials_ignored"},
            )

    def allows(self, origin: str) -> bool:
        """Whether pages of this origin may call the routes."""
        return self._any_origin or origin.lower() in self._origins

    def headers(self, request: Mapping[str, Any]) -> tuple[Header, ...]:
        """The headers for a request with these (lower-cased) headers."""
        if self._any_origin:
            return _OPEN
        origin = str(request.get("origin", ""))
        if not self.allows(origin):
            return (_VARY,)
        allowed = ((b"access-control-allow-origin", origin.encode("latin-1")), _VARY)
        if not self._credentials:
            return (*allowed, *_OPEN[1:])
        wanted = str(request.get("access-control-request-headers", "")).encode("latin-1")
        return (
            *allowed,
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", wanted or b"*"),
            *_OPEN[3:],
        )
