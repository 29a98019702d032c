"""The modules that draw Steps in the diagram, for the Workbench's page."""

from __future__ import annotations

from pathlib import Path

import anyio.to_thread
from fastapi import APIRouter, Response

from motia_celery.errors import NotFoundError
from motia_celery.model.step import Step
from motia_celery.plan import Plan
from motia_celery.runtime.drawing import Drawing, DrawingFault, scope_of
from motia_celery.workbench.component_files import find_component, find_components
from motia_celery.workbench.drawings import Drawings
from motia_celery.workbench.shapes.app import ComponentView
from motia_celery.workbench.sources import From

router = APIRouter(prefix="/components", tags=["flows"])


class Script(Response):
    """JavaScript."""

    media_type = "text/javascript"


@router.get("")
async def get_components(sources: From) -> list[ComponentView]:
    """The modules that draw Steps, or why one can not be made; translated where they changed."""
    root = sources.settings.project_root
    return await anyio.to_thread.run_sync(_views, sources.drawings, root, sources.plan)


@router.get("/{version}/{name:path}", response_class=Script)
async def get_component(sources: From, version: str, name: str) -> Script:
    """The module that draws a Step, as it is now.

    A page loads a path once: each ``version`` of the list is another one to it.
    """
    root, step = sources.settings.project_root, sources.plan.step(name)
    made = await anyio.to_thread.run_sync(_drawing, sources.drawings, root, step)
    if not isinstance(made, Drawing):
        raise NotFoundError(f"nothing draws a Step named {name!r}.", "", "See its panel.")
    return Script(made.code)


def _views(drawings: Drawings, root: Path, plan: Plan) -> list[ComponentView]:
    files = find_components(root, plan.steps)
    made = drawings.get(root, tuple(dict.fromkeys(files.values())))
    return [_view(step, file, made[file]) for step, file in files.items()]


def _drawing(drawings: Drawings, root: Path, step: Step | None) -> Drawing | DrawingFault | None:
    file = find_component(root, step) if step is not None else None
    return None if file is None else drawings.get(root, (file,))[file]


def _view(step: str, file: str, made: Drawing | DrawingFault) -> ComponentView:
    if isinstance(made, DrawingFault):
        return ComponentView(step=step, file=file, fault=made.what, where=made.where)
    return ComponentView(step=step, file=file, version=made.version, scope=scope_of(file))
