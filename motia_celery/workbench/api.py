"""The Workbench's API, and its OpenAPI document, from which the page's types are generated."""

from __future__ import annotations

import json
import sys

from fastapi import FastAPI

from motia_celery.workbench import (
    components,
    controls,
    dead_letters,
    feed,
    flows,
    overview,
    runs,
    schedules,
    state,
    steps,
    streams,
    trying,
    workers,
)
from motia_celery.workbench.faults import HANDLERS, RESPONSES

_PARTS = (
    overview,
    flows,
    components,
    runs,
    controls,
    trying,
    steps,
    dead_letters,
    state,
    streams,
    workers,
    schedules,
    feed,
)


def create_api() -> FastAPI:
    """The API; it answers once ``state.sources`` are set, and describes itself without."""
    app = FastAPI(
        title="motia-celery Workbench",
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=RESPONSES,
        generate_unique_id_function=lambda route: route.name,
        exception_handlers=HANDLERS,
    )
    for part in _PARTS:
        app.include_router(part.router)
    return app


def document() -> str:
    """The OpenAPI document, as text that is the same at every call."""
    return json.dumps(create_api().openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
