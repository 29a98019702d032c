"""The routes of the Steps, answered by one ASGI layer.

Static paths are found in a dict; the others are tried in the Plan's order. Everything that no
Step takes goes on to the app behind it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from motia_celery.errors import ClientGoneError
from motia_celery.model.path import METHODS, CompiledPath, decode_path, static_key
from motia_celery.plan.routes import RESERVED_PREFIX
from motia_celery.run.cors import Cors
from motia_celery.run.endpoint import Endpoint
from motia_celery.run.guard import raw_path, route_path
from motia_celery.run.reply import ClientReply
from motia_celery.run.requests import read_headers
from motia_celery.run.responses import Response, error_response

log = logging.getLogger("motia_celery.web")

Found = tuple[Endpoint, dict[str, str]]


class RouteTable:
    """Finds the endpoint of a method and a path."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._static: dict[str, dict[str, Endpoint]] = {}
        self._dynamic: dict[str, list[tuple[CompiledPath, Endpoint]]] = {}
        for endpoint in endpoints:
            path = endpoint.route.path
            if path.static is not None:
                self._static.setdefault(path.static, {}).setdefault(endpoint.method, endpoint)
            else:
                self._dynamic.setdefault(endpoint.method, []).append((path, endpoint))

    def find(self, method: str, path: str) -> Found | None:
        """The endpoint, with the path's parameters; a GET route answers HEAD as well."""
        found = self._exactly(method, path)
        return self._exactly("GET", path) if found is None and method == "HEAD" else found

    def _exactly(self, method: str, path: str) -> Found | None:
        endpoint = self._static.get(static_key(path), {}).get(method)
        if endpoint:
            return endpoint, {}
        for compiled, endpoint in self._dynamic.get(method, ()):
            params = compiled.match(path)
            if params is not None:
                return endpoint, params
        return None

    def methods(self, path: str) -> tuple[str, ...]:
        """The methods that the path takes, HEAD and OPTIONS too; none for an unknown path."""
        found = {method for method in METHODS if self.find(method, path)}
        if not found:
            return ()
        return tuple(m for m in METHODS if m in found or m == "OPTIONS")

    def takes(self, path: str) -> bool:
        """Whether a Step has exactly this path, without parameters."""
        return static_key(path) in self._static


class StepRoutes:
    """ASGI middleware that answers the user's routes and adds CORS to them, and to nothing else."""

    def __init__(
        self, app: ASGIApp, table: RouteTable, cors: Cors, own_paths: frozenset[str]
    ) -> None:
        self._app = app
        self._table = table
        self._cors = cors
        self._own_paths = own_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers the request, or passes it on."""
        if scope["type"] != "http" or self._is_own(route_path(scope)):
            await self._app(scope, receive, send)
            return
        path = decode_path(raw_path(scope))
        if path is None or "\0" in path:  # no file, database or header could hold a NUL
            await error_response(400, "Malformed path").send(send)
            return
        found = self._table.find(scope["method"], path) if scope["method"] != "OPTIONS" else None
        methods = () if found else self._table.methods(path)
        if found or methods:
            await self._respond(scope, receive, send, found, methods)
        else:
            await self._app(scope, receive, send)

    def _is_own(self, path: str) -> bool:
        return path in self._own_paths or path.startswith(RESERVED_PREFIX)

    async def _respond(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        found: Found | None,
        methods: tuple[str, ...],
    ) -> None:
        headers = read_headers(scope["headers"])
        cors = self._cors.headers(headers)
        reply = ClientReply(scope, receive, send, cors)
        try:
            if found:
                endpoint, params = found
                response = await endpoint.answer(scope, receive, headers, params, reply)
            else:
                response = _answer(scope, methods).with_headers(cors)
        except ClientGoneError:
            return
        except Exception:
            if reply.has_begun:
                raise
            log.exception("Could not answer.", extra={"action": "web.request_crashed"})
            response = error_response(500, "Internal server error").with_headers(cors)
        if response is not None:
            await response.send(send, head=scope["method"] == "HEAD")


def _answer(scope: Scope, methods: tuple[str, ...]) -> Response:
    if scope["method"] == "OPTIONS":
        return Response(204)
    allow = (b"allow", ", ".join(methods).encode("ascii"))
    return error_response(405, "Method Not Allowed").with_headers([allow])
