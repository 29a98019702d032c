"""The guard of the framework's own paths: no other web page may read a developer's app.

A page that a developer visits can send requests to localhost, and a host name that an attacker
points there (DNS rebinding) makes them same-origin. So the Host must be one that we serve, and
an Origin must be our own.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from motia_celery.plan.routes import (
    METRICS_PATH,
    RESERVED_PATHS,
    RESERVED_PREFIX,
    STREAM_LISTINGS,
)
from motia_celery.run.requests import read_headers
from motia_celery.run.responses import error_response
from motia_celery.settings import Settings

log = logging.getLogger("motia_celery.web")

DOCUMENTATION_PATHS = frozenset({"/openapi.json", "/docs", "/docs/oauth2-redirect"})
EMIT_PATH = "/emit"
#: ``/__motia/streams/<stream>/<group>`` or ``…/<group>/<id>``, each part escaped: for the user's
#: own pages, like the Steps' routes.
STREAMS_PATH = "/__motia/streams/"

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, not bound to
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def route_path(scope: Scope) -> str:
    """The decoded path of a request, below the ``root_path`` that the app is mounted on."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and path.startswith(root) and path[len(root) : len(root) + 1] in ("", "/"):
        return path[len(root) :]
    return path


def raw_path(scope: Scope) -> str:
    """The path as sent, so that an encoded slash stays part of its segment."""
    raw: bytes | None = scope.get("raw_path")
    if not raw:
        return route_path(scope).replace("%", "%25")
    path = raw.partition(b"?")[0].decode("utf-8", "replace")
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) if route_path(scope) != scope["path"] else path


def is_stream(scope: Scope) -> bool:
    """Whether the path is one of those on which streams are followed."""
    name, _, _ = raw_path(scope).removeprefix(STREAMS_PATH).partition("/")
    return raw_path(scope).startswith(STREAMS_PATH) and name not in STREAM_LISTINGS


def is_own(path: str) -> bool:
    """Whether the framework itself answers on this path (``/emit`` only where switched on)."""
    return (
        path.startswith(RESERVED_PREFIX)
        or path in RESERVED_PATHS
        or path in DOCUMENTATION_PATHS
        or path == EMIT_PATH
    )


def is_admin(path: str) -> bool:
    """Whether the path stands behind the admin guard, which has rules of its own."""
    return path == METRICS_PATH or path.startswith(RESERVED_PREFIX)


class Guard:
    """ASGI middleware that refuses foreign Hosts and Origins on our own paths."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._rule = HostRule(settings, settings.own_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or answers 403."""
        if scope["type"] in ("http", "websocket"):
            path = route_path(scope)
            if self._guards(scope, path):
                fault = self._rule.fault(read_headers(scope["headers"]))
                if fault:
                    await _refuse(scope, send, fault)
                    return
        await self._app(scope, receive, send)

    def _guards(self, scope: Scope, path: str) -> bool:
        # Platforms probe /health by address, with any Host; it tells nothing worth guarding.
        if path in RESERVED_PATHS or is_stream(scope):
            return False
        return is_own(path) and not (scope["type"] == "http" and is_admin(path))


class HostRule:
    """Which Host and Origin headers may reach our own paths, where ``hosts`` are named."""

    def __init__(self, settings: Settings, hosts: Iterable[str]) -> None:
        own = {host.lower() for host in hosts}
        self._own = frozenset(own | _LOCAL | ({settings.host.lower()} - _EVERYWHERE))
        # A production app is reached by names that we can not know, unless they are set.
        self._any_host = settings.environment == "production" and not own
        self._any_address = settings.host in _EVERYWHERE

    def fault(self, headers: Mapping[str, Any]) -> str | None:
        """Why the request is refused, or None."""
        host = str(headers.get("host", ""))
        name = _host_name(host)
        if not self._any_host and not self._is_served(name):
            return "Host not allowed"
        origin = headers.get("origin")
        if origin is not None and not same_host(str(origin), host):
            return "Origin not allowed"
        return None

    def _is_served(self, name: str) -> bool:
        # Bound to every interface, an address is a name too; rebinding needs a host name.
        return name in self._own or (self._any_address and _is_address(name))


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def same_host(origin: str, host: str) -> bool:
    """Whether the URL or origin is of the host that the request was sent to."""
    try:
        ours, theirs = urlsplit(f"//{host}"), urlsplit(origin)
        default = _DEFAULT_PORTS.get(theirs.scheme)
        same_port = (theirs.port or default) == (ours.port or default)
    except ValueError:
        return False
    return bool(theirs.hostname) and theirs.hostname == ours.hostname and same_port


async def _refuse(scope: Scope, send: Send, fault: str) -> None:
    log.warning(
        "Refused a request to %r: %s. Name the host in own_hosts if it is yours.",
        scope["path"],
        fault,
        extra={"action": "web.own_path_refused"},
    )
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": fault})
    else:
        await error_response(403, fault).send(send, head=scope["method"] == "HEAD")
