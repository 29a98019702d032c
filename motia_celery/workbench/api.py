"""The Workbench's API as one ASGI app, and its OpenAPI document."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from motia_celery.errors import (
    BrokerUnavailableError,
    ConfigError,
    DeadLetterError,
    EmitError,
    FrameworkError,
    NotFoundError,
    StoreUnavailableError,
)
from motia_celery.workbench import (
    controls,
    dead_letters,
    feed,
    flows,
    overview,
    runs,
    state,
    steps,
    streams,
    trying,
    workers,
)
from motia_celery.workbench.shapes.shape import Fault
from motia_celery.workbench.sources import Sources

log = logging.getLogger("motia_celery.workbench")

#: Where the document is kept from which the page's types are generated.
DOCUMENT = Path(__file__).parent / "ui" / "openapi.json"

_STATUS: tuple[tuple[type[FrameworkError], int], ...] = (
    (NotFoundError, 404),
    (ConfigError, 409),
    (DeadLetterError, 409),
    (EmitError, 503),
    (BrokerUnavailableError, 503),
    (StoreUnavailableError, 503),
)
_FAULTS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Fault, "description": "It can not be done as it was asked."},
    "5XX": {"model": Fault, "description": "It could not be done."},
}


def create_api(sources: Sources | None = None) -> FastAPI:
    """The API. Without sources it only describes itself."""
    app = FastAPI(
        title="motia-celery Workbench",
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=_FAULTS,
        generate_unique_id_function=lambda route: route.name,
        exception_handlers={
            FrameworkError: _framework_fault,
            RequestValidationError: _request_fault,
            HTTPException: _http_fault,
            Exception: _crash,
        },
    )
    app.state.sources = sources
    for part in (
        overview,
        flows,
        runs,
        controls,
        trying,
        steps,
        dead_letters,
        state,
        streams,
        workers,
        feed,
    ):
        app.include_router(part.router)
    return app


def document() -> str:
    """The OpenAPI document, as text that is the same at every call."""
    return json.dumps(create_api().openapi(), indent=2, ensure_ascii=False) + "\n"


def fault(status: int, error: str, fix: str = "", where: str = "") -> JSONResponse:
    """The shape of every error."""
    return JSONResponse(Fault(error=error, fix=fix, where=where).model_dump(), status)


async def _framework_fault(request: Request, error: FrameworkError) -> JSONResponse:
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 400)
    return fault(status, error.what, error.fix, error.where)


async def _request_fault(request: Request, error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return fault(422, f"{first['msg']}.", "Correct the request.", place)


async def _http_fault(request: Request, error: HTTPException) -> JSONResponse:
    return fault(error.status_code, str(error.detail))


async def _crash(request: Request, error: Exception) -> JSONResponse:
    log.error(
        "The Workbench could not answer %s.",
        request.url.path,
        exc_info=error,
        extra={"action": "workbench.crashed"},
    )
    return fault(500, "Internal server error.", "The log of the web process has the reason.")


if __name__ == "__main__":
    sys.stdout.write(document())
