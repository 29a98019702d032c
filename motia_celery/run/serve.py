"""The web process: uvicorn around the app's routes."""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import anyio.to_thread
import uvicorn

from motia_celery.broker.server import BrokerCheck
from motia_celery.observe.logs import configure_logging
from motia_celery.run.app import App, report_problems
from motia_celery.run.connection import ClientLimits, Connection
from motia_celery.run.web import create_app
from motia_celery.settings import Settings, load_settings

if TYPE_CHECKING:
    from fastapi import FastAPI

logger = logging.getLogger("motia_celery.web")

Probe = Callable[[], Awaitable[None]]


def web_app(settings: Settings) -> FastAPI:
    """The ASGI app of these settings."""
    app = App(settings)
    report_problems(app.plan)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        app.start_outbox()
        logger.info(
            "Web ready: %d routes on port %d",
            len(app.plan.routes),
            settings.port,
            extra={"action": "web.ready"},
        )
        yield
        await app.aclose()

    return create_app(
        plan=app.plan,
        settings=settings,
        invoke=app.invoke,
        emit=app.emit,
        probes=_probes(app),
        lifespan=lifespan,
    )


def _probes(app: App) -> Mapping[str, Probe]:
    check = BrokerCheck(app.settings)

    async def broker() -> None:
        await anyio.to_thread.run_sync(check.run, abandon_on_cancel=True)

    return {"broker": broker, "store": app.ping_store}


def asgi() -> FastAPI:
    """The ASGI app of the environment, for uvicorn's worker processes."""
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format, "web")
    return web_app(settings)


def serve(settings: Settings, sockets: list[socket.socket] | None = None) -> None:
    """Serves until told to stop; open requests are finished first."""
    options = {
        "host": settings.host,
        "port": settings.port,
        "loop": "uvloop",
        "http": partial(Connection, limits=ClientLimits.of(settings)),
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
    config = uvicorn.Config(web_app(settings), **options)  # type: ignore[arg-type]
    uvicorn.Server(config).run(sockets=sockets)
