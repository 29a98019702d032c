"""How errors are answered: as JSON with what is wrong and what to do, never as a traceback."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import Request
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
from motia_celery.workbench.shapes.shape import Fault

log = logging.getLogger("motia_celery.workbench")

_STATUS: tuple[tuple[type[FrameworkError], int], ...] = (
    (NotFoundError, 404),
    (ConfigError, 409),
    (DeadLetterError, 409),
    (EmitError, 503),
    (BrokerUnavailableError, 503),
    (StoreUnavailableError, 503),
)

#: The error responses of every endpoint, for the document.
RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Fault, "description": "It can not be done as it was asked."},
    "5XX": {"model": Fault, "description": "It could not be done."},
}


def fault(status: int, error: str, fix: str = "", where: str = "") -> JSONResponse:
    """The shape of every error."""
    return JSONResponse(Fault(error=error, fix=fix, where=where).model_dump(), status)


async def _framework_fault(request: Request, error: FrameworkError) -> JSONResponse:
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 400)
    return fault(status, error.what, error.fix, error.where)


async def _request_fault(request: Request, error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return fault(422, f"{first['msg']}.", "Correct the request.", _printable(place))


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


def _printable(text: str) -> str:
    """The text without what UTF-8 can not hold."""
    return text.encode("utf-8", "replace").decode()[:500]


#: What FastAPI calls for each error.
HANDLERS: dict[Any, Any] = {
    FrameworkError: _framework_fault,
    RequestValidationError: _request_fault,
    HTTPException: _http_fault,
    Exception: _crash,
}
