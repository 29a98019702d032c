"""The endpoints of Motia's own Workbench that projects script against, with its shapes."""

from __future__ import annotations

from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from motia_celery.errors import FrameworkError, NotFoundError, RequestError
from motia_celery.model.step import Step, Stream
from motia_celery.plan import Plan
from motia_celery.plan.describe import describe_step
from motia_celery.plan.routes import WORKBENCH_PATH
from motia_celery.workbench import motia_queues
from motia_celery.workbench.filters import Filter, parse_filters
from motia_celery.workbench.hub import reset
from motia_celery.workbench.overview import version_of_package
from motia_celery.workbench.positions import write_flow
from motia_celery.workbench.source import read_source
from motia_celery.workbench.sources import From, Sources
from motia_celery.workbench.state import json_type

router = APIRouter()

#: A page of Motia's reads all state at once; past so many values it must name a group.
_MOST_ITEMS = 50_000


class StateEntry(BaseModel):
    """A value to be set."""

    groupId: str  # noqa: N815 - Motia's name
    key: str
    value: Any = None


class StateIds(BaseModel):
    """Keys to delete, each as ``group:key``."""

    ids: list[str]


@router.get("/")
async def get_facts(sources: From) -> dict[str, Any]:
    """What Motia's page asks first."""
    return {
        "version": version_of_package(),
        "isDev": sources.settings.environment == "development",
        "isTutorialDisabled": True,
        "workbenchBase": WORKBENCH_PATH,
    }


@router.get("/state")
async def get_state(
    sources: From,
    group: Annotated[str | None, Query(alias="groupId")] = None,
    filter: str | None = None,
) -> list[dict[str, Any]]:
    """The values of a group, or of all, that pass every filter."""
    filters = parse_filters(filter)
    groups = [group] if group else await sources.state.groups()
    found: list[dict[str, Any]] = []
    for name in groups:
        found += _state_items(name, await sources.state.items(name), filters)
        if len(found) > _MOST_ITEMS:
            raise RequestError(f"there are more than {_MOST_ITEMS} values; name a groupId")
    return found


@router.post("/state")
async def post_state(sources: From, entry: StateEntry) -> StateEntry:
    """Sets a value, and gives what was set."""
    await sources.state.set(entry.groupId, entry.key, entry.value)
    return entry


@router.post("/state/delete", status_code=204)
async def delete_state(sources: From, request: StateIds) -> Response:
    """Deletes the keys that are there."""
    for identity in request.ids:
        await _delete(sources, identity)
    return Response(status_code=204)


@router.get("/streams")
@router.get("/streams/all")
async def get_streams(sources: From) -> dict[str, Any]:
    """The streams of the project."""
    return {"streams": [_stream(stream) for stream in sources.plan.streams]}


@router.get("/streams/details/{name}")
async def get_stream(sources: From, name: str) -> dict[str, Any]:
    """A stream with its schema."""
    stream = _stream_named(sources.plan, name)
    return {**_stream(stream), "schema": stream.schema}


@router.get("/streams/group/{name}/{group}")
async def get_stream_group(sources: From, name: str, group: str) -> dict[str, Any]:
    """The items of a group."""
    _stream_named(sources.plan, name)
    items = await sources.streams.get_group(name, group)
    return {"streamName": name, "groupId": group, "items": items, "count": len(items)}


@router.get("/streams/item/{name}/{group}/{item}")
async def get_stream_item(sources: From, name: str, group: str, item: str) -> dict[str, Any]:
    """One item, or null."""
    _stream_named(sources.plan, name)
    data = await sources.streams.get(name, group, item)
    return {"streamName": name, "groupId": group, "itemId": item, "data": data}


@router.post("/flows/{flow:path}/config")
async def post_flow_config(sources: From, flow: str, config: dict[str, Any]) -> dict[str, str]:
    """Keeps a flow's entry of ``motia-workbench.json`` as it is sent."""
    root = sources.settings.project_root
    await anyio.to_thread.run_sync(write_flow, root, flow, {"id": flow, **config})
    return {"message": "Flow config saved successfully"}


@router.get("/step/{identity}")
async def get_step(sources: From, identity: str) -> dict[str, Any]:
    """The text of a Step's file, by the Step's id."""
    step = _step_of(sources.plan, identity)
    source = await anyio.to_thread.run_sync(read_source, sources.settings.project_root, step)
    return {"id": identity, "content": source.text, "features": [], "config": describe_step(step)}


@router.post("/trace/clear")
async def clear_traces(sources: From) -> dict[str, str]:
    """Forgets all runs, traces and logs."""
    if sources.records is not None:
        await sources.records.clear()
        sources.hub.tell(reset())
    return {"message": "Traces cleared"}


def create_motia() -> FastAPI:
    """The endpoints as an app; it answers once ``state.sources`` are set."""
    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,
        exception_handlers={
            FrameworkError: _framework_fault,
            RequestValidationError: _request_fault,
            HTTPException: _http_fault,
            Exception: _crash,
        },
    )
    app.include_router(router)
    app.include_router(motia_queues.router)
    return app


def _state_items(
    group: str, items: dict[str, Any], filters: tuple[Filter, ...]
) -> list[dict[str, Any]]:
    return [
        {"groupId": group, "key": key, "type": json_type(value), "value": value}
        for key, value in items.items()
        if all(one.passes(value) for one in filters)
    ]


async def _delete(sources: Sources, identity: str) -> None:
    """Deletes ``group:key``. A group may hold colons too: the first reading that is there."""
    at = identity.find(":")
    while at >= 0:
        group, key = identity[:at], identity[at + 1 :]
        if await sources.state.delete(group, key) is not None:
            return
        at = identity.find(":", at + 1)


def _stream(stream: Stream) -> dict[str, Any]:
    return {"id": stream.name, "name": stream.name, "hidden": False, "filePath": stream.file}


def _stream_named(plan: Plan, name: str) -> Stream:
    found = next((stream for stream in plan.streams if stream.name == name), None)
    if found is None:
        raise NotFoundError(f"Stream '{name}' not found")
    return found


def _step_of(plan: Plan, identity: str) -> Step:
    found = next((step for step in plan.steps if step.id == identity), None)
    if found is None:
        raise NotFoundError("Step not found")
    return found


def _error(status: int, error: str) -> JSONResponse:
    return JSONResponse({"error": error}, status)


async def _framework_fault(request: Request, error: FrameworkError) -> JSONResponse:
    if isinstance(error, NotFoundError):
        return _error(404, error.what)
    return _error(400 if isinstance(error, RequestError) else 500, str(error))


async def _request_fault(request: Request, error: RequestValidationError) -> JSONResponse:
    return _error(400, str(error.errors()[0]["msg"]))


async def _http_fault(request: Request, error: HTTPException) -> JSONResponse:
    return _error(error.status_code, str(error.detail))


async def _crash(request: Request, error: Exception) -> JSONResponse:
    return _error(500, "Internal server error")
