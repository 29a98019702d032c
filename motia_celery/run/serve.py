"""The web process: uvicorn around the app's routes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import uvicorn

from motia_celery.broker.server import BrokerCheck
from motia_celery.observe import tracing
from motia_celery.observe.logs import configure_logging
from motia_celery.observe.metrics import STREAM_SOCKETS, meter
from motia_celery.process import keep_loaded
from motia_celery.run.admission import Admission
from motia_celery.run.app import App, Told, report_problems
from motia_celery.run.connection import STOP, ClientLimits, Connection
from motia_celery.run.cors import Cors
from motia_celery.run.doors import Streaming
from motia_celery.run.environment import read_environment
from motia_celery.run.live import Live
from motia_celery.run.metrics import MetricsPage
from motia_celery.run.socket_connection import SocketConnection
from motia_celery.run.urls import require_urls
from motia_celery.run.web import create_app
from motia_celery.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from motia_celery.workbench.serving import Workbench

logger = logging.getLogger("motia_celery.web")

Probe = Callable[[], Awaitable[None]]


def web_app(settings: Settings, *, is_dev: bool = False, told: Told | None = None) -> FastAPI:
    """The ASGI app of these settings."""
    app = App(settings, told or {})
    app.trace_as("web")
    live = Live(lambda: app.streams)
    workbench = _workbench(app) if is_dev or settings.admin_token else None
    report_problems(app.plan)

    def stop() -> None:
        live.stop()
        if workbench is not None:
            workbench.stop()

    def streaming(cors: Cors) -> Streaming:
        admission = Admission(settings, cors, app.authentication)
        meter.gauges[STREAM_SOCKETS] = lambda: admission.present
        return Streaming(live=live, rules=app.access, admission=admission)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        app.start_outbox()
        app.carrier.ensure()
        tracing.start()
        if workbench is not None:
            await workbench.start()
        keep_loaded()
        logger.info(
            "Web ready: %d routes on port %d",
            len(app.plan.routes),
            settings.port,
            extra={"action": "web.ready"},
        )
        # A save that is broken must not reach a process that runs on as it was.
        warming = asyncio.ensure_future(app.warm(_steps(app))) if is_dev else None
        yield {STOP: stop}
        if warming is not None:
            warming.cancel()
        if workbench is not None:
            await workbench.aclose()
        await live.aclose()
        await app.aclose()

    return create_app(
        plan=app.plan,
        settings=settings,
        invoke=app.invoke,
        emit=app.emit,
        probes=_probes(app),
        lifespan=lifespan,
        streaming=streaming,
        is_dev=is_dev,
        metrics=MetricsPage(app.plan, lambda: (app.open_metrics(), app.depths)).response,
        mounts=workbench.mounts if workbench else None,
    )


def _steps(app: App) -> Iterator[str]:
    return (route.step.name for route in app.plan.routes)


def _workbench(app: App) -> Workbench:
    from motia_celery.run.workbench import workbench_of  # 8 MB, which others need not hold

    return workbench_of(app)


def _probes(app: App) -> Mapping[str, Probe]:
    check = BrokerCheck(app.settings)

    async def broker() -> None:
        await anyio.to_thread.run_sync(check.run, abandon_on_cancel=True)

    return {"broker": broker, "store": app.ping_store}


def asgi() -> FastAPI:
    """The ASGI app of the environment, for uvicorn's worker processes."""
    settings = read_environment()
    configure_logging(settings.log_level, settings.log_format, "web", settings.redact_keys)
    return web_app(settings)


def serve(
    settings: Settings,
    sockets: list[socket.socket] | None = None,
    *,
    is_dev: bool = False,
    told: Told | None = None,
) -> None:
    """Serves until told to stop; open requests are finished first, sockets are closed.

    ``is_dev``: `dev` serves, so the admin paths need no token on this machine. ``told``: what it
    has read already.

    Raises:
        SettingsError: a server's URL can not be used.
    """
    # uvicorn would tell it by a traceback.
    require_urls(settings)
    _allow_many_files()
    options = {
        "host": settings.host,
        "port": settings.port,
        "loop": "uvloop",
        "http": partial(Connection, limits=ClientLimits.of(settings)),
        "ws": SocketConnection,
        "ws_max_size": settings.stream_message_bytes,
        "ws_ping_interval": settings.stream_ping_seconds,
        "ws_ping_timeout": settings.stream_ping_seconds,
        # A message is encoded once for all clients; deflated, it would be so for each.
        "ws_per_message_deflate": False,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "forwarded_allow_ips": settings.forwarded_allow_ips,
        "timeout_graceful_shutdown": max(1, round(settings.soft_shutdown_seconds)),
        "lifespan": "on",
    }
    if settings.web_concurrency > 1 and sockets is None:
        # uvicorn's children import the app by name, and read the settings again.
        uvicorn.run(
            "motia_celery.run.serve:asgi",
            factory=True,
            workers=settings.web_concurrency,
            **options,  # type: ignore[arg-type]
        )
        return
    config = uvicorn.Config(web_app(settings, is_dev=is_dev, told=told), **options)  # type: ignore[arg-type]
    uvicorn.Server(config).run(sockets=sockets)


def _allow_many_files() -> None:
    """Each socket is an open file: takes as many as the system gives without asking."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # macOS names a limit that it refuses
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
