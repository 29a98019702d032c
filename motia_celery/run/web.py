"""The web app: the Steps' routes, and the framework's own few paths behind them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import anyio.to_thread
from fastapi import FastAPI
from fastapi import Request as HttpRequest
from fastapi import Response as HttpResponse
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from motia_celery.errors import BrokerUnavailableError, ClientGoneError, EmitError, EventDataError
from motia_celery.model.topic import topic_fault
from motia_celery.plan.routes import METRICS_PATH, RESERVED_PATHS, Route
from motia_celery.run import health
from motia_celery.run.admin import AdminGuard
from motia_celery.run.body import RequestRefusedError, read_body
from motia_celery.run.cors import Cors
from motia_celery.run.doors import Doors, Streaming
from motia_celery.run.endpoint import Endpoint, Invoke
from motia_celery.run.guard import DOCUMENTATION_PATHS, EMIT_PATH, Guard
from motia_celery.run.openapi import openapi_document
from motia_celery.run.requests import read_headers
from motia_celery.run.responses import Response, error_response, json_response
from motia_celery.run.routing import RouteTable, StepRoutes
from motia_celery.settings import Settings
from motia_celery.workbench.mounts import Mounts

log = logging.getLogger("motia_celery.web")

EmitFunction = Callable[[str, Any, Mapping[str, Any]], Awaitable[None]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Any]]


class Routed(Protocol):
    """The part of the Plan that is served here."""

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes, in the order in which they are tried."""


def create_app(
    *,
    plan: Routed,
    settings: Settings,
    invoke: Invoke,
    emit: EmitFunction,
    probes: Mapping[str, health.Probe],
    lifespan: Lifespan | None = None,
    streaming: Callable[[Cors], Streaming] | None = None,
    is_dev: bool = False,
    metrics: Callable[[], Response] | None = None,
    mounts: Mapping[str, ASGIApp] | None = None,
) -> FastAPI:
    """The ASGI app of a Plan.

    ``invoke`` runs a handler with its middleware, ``emit`` publishes a confirmed event, and each
    of ``probes`` raises while what it looks at can not be reached. Without ``streaming`` nobody
    may follow a stream. ``is_dev`` opens the admin paths to this machine where no token is set.
    ``metrics`` blocks, and gives the page of that name. ``mounts`` are the Workbench's apps by
    path; they are behind the admin guard.
    """
    cors = Cors(settings)
    doors = streaming and Middleware(Doors, streaming=streaming(cors), settings=settings, cors=cors)
    table = RouteTable(Endpoint(route, settings, invoke) for route in plan.routes)
    app = FastAPI(
        title=settings.project_root.name or "motia-celery",
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,
        # It would make a second span of every request, which knows of no Step.
        telemetry={"tracing": False},
        middleware=[
            Middleware(StepRoutes, table=table, cors=cors, own_paths=_own_paths(table, settings)),
            Middleware(Guard, settings=settings),
            *([doors] if doors else []),
            # Behind the doors, so that the streams' paths are told apart in one place alone.
            Middleware(AdminGuard, settings=settings, is_dev=is_dev),
            *([Middleware(Mounts, mounts=mounts)] if mounts else []),
        ],
        exception_handlers={HTTPException: _http_error, Exception: _crash},
    )
    _document(app, plan, settings)
    _add_health(app, probes)
    if metrics is not None:
        _add_metrics(app, metrics)
    if settings.emit_route:
        _add_emit(app, settings, emit)
        _warn_of_emit_step(table)
    return app


def _own_paths(table: RouteTable, settings: Settings) -> frozenset[str]:
    """The paths that no Step takes; a Step may have ``/docs`` for itself, but not our health."""
    documentation = {path for path in DOCUMENTATION_PATHS if not table.takes(path)}
    return RESERVED_PATHS | documentation | ({EMIT_PATH} if settings.emit_route else set())


def _document(app: FastAPI, plan: Routed, settings: Settings) -> None:
    """Serves the document of the Steps in place of the one that FastAPI would derive."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi_document(plan.routes, settings, app.title)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _add_health(app: FastAPI, probes: Mapping[str, health.Probe]) -> None:
    async def live(request: HttpRequest) -> HttpResponse:
        return _as_http(health.live())

    async def ready(request: HttpRequest) -> HttpResponse:
        return _as_http(await health.ready(probes))

    app.add_route("/health/live", live, include_in_schema=False)
    app.add_route("/health/ready", ready, include_in_schema=False)


def _add_metrics(app: FastAPI, metrics: Callable[[], Response]) -> None:
    async def page(request: HttpRequest) -> HttpResponse:
        return _as_http(await anyio.to_thread.run_sync(metrics))

    app.add_route(METRICS_PATH, page, include_in_schema=False)


def _add_emit(app: FastAPI, settings: Settings, emit: EmitFunction) -> None:
    async def emit_event(request: HttpRequest) -> HttpResponse:
        headers = read_headers(request.scope["headers"])
        try:
            body = await read_body(request.receive, headers, settings.body_limit_bytes)
        except RequestRefusedError as error:
            return _as_http(error_response(error.status, error.what))
        except ClientGoneError:
            return HttpResponse(status_code=400)
        return _as_http(await _emit(body.value, headers, emit))

    app.add_route(EMIT_PATH, emit_event, methods=["POST"], include_in_schema=False)


def _warn_of_emit_step(table: RouteTable) -> None:
    found = table.find("POST", EMIT_PATH)
    if found and found[0].route.path.static:
        log.warning(
            "POST /emit of %s never runs: emit_route serves that path.",
            found[0].route.step.file,
            extra={"action": "web.route_shadowed", "step": found[0].route.step.name},
        )


async def _emit(body: Any, headers: Mapping[str, Any], emit: EmitFunction) -> Response:
    topic = body.get("topic") if isinstance(body, dict) else None
    if not isinstance(topic, str) or topic_fault(topic):
        return error_response(400, 'Expected {"topic": "…", "data": …}')
    data = body.get("data")
    try:
        await emit(topic, data, headers)
    except EventDataError as error:
        return error_response(400, error.what)
    except (EmitError, BrokerUnavailableError):
        return error_response(503, "Service Unavailable")
    return json_response(200, {"success": True, "emitted": {"topic": topic, "data": data}})


def _as_http(response: Response) -> HttpResponse:
    answer = HttpResponse(response.body, response.status)
    for name, value in response.headers:
        answer.headers[name.decode("latin-1")] = value.decode("latin-1")
    return answer


async def _http_error(request: HttpRequest, error: Exception) -> HttpResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = str(getattr(error, "detail", "Internal server error"))
    answer = _as_http(error_response(status, detail))
    answer.headers.update(getattr(error, "headers", None) or {})
    return answer


async def _crash(request: HttpRequest, error: Exception) -> HttpResponse:
    return _as_http(error_response(500, "Internal server error"))
