"""Files beside Steps that draw them in the diagram, as Motia's Workbench knows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import anyio.to_thread
from fastapi import APIRouter, Response

from motia_celery.errors import NotFoundError
from motia_celery.model.problem import Problem
from motia_celery.model.step import Step
from motia_celery.plan import Plan
from motia_celery.runtime.drawing import Drawing, DrawingFault, make_drawings, scope_of
from motia_celery.runtime.node import find_node
from motia_celery.workbench.drawings import Drawings
from motia_celery.workbench.shapes.app import ComponentView
from motia_celery.workbench.sources import From

router = APIRouter(prefix="/components", tags=["flows"])

_SUFFIXES = (".tsx", ".jsx")
_LIMIT_BYTES = 256 * 1024
_EXPORT = re.compile(
    rb"^[ \t]*export[ \t]+(?:default\b|(?:const|let|var|function|class)[ \t]+Node\b"
    rb"|\{[^}]*\b(?:Node|default)\b[^}]*\})",
    re.MULTILINE,
)


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


def find_component(root: Path, step: Step) -> str | None:
    """The file, of the Step's name, that exports a node; it is relative to the project's root."""
    for suffix in _SUFFIXES:
        file = Path(step.file).with_suffix(suffix)
        if _exports_node(root / file):
            return file.as_posix()
    return None


def find_components(root: Path, steps: Iterable[Step]) -> dict[str, str]:
    """The files of all Steps that have one, by the Step's name."""
    found = ((step.name, find_component(root, step)) for step in steps)
    return {name: file for name, file in found if file is not None}


def component_problems(root: Path, steps: Iterable[Step]) -> Iterator[Problem]:
    """A warning for each file that draws a Step, where there is no Node to translate it."""
    components = find_components(root, steps)
    if not components or find_node() is not None:
        return
    for name, file in components.items():
        yield Problem(
            file=file,
            what=f"draws {name!r} in the Workbench, and is not shown: Node, which translates it "
            "for the browser, was not found",
            fix="Install it from https://nodejs.org, or type: pip install 'motia-celery[node]'. "
            "The Step runs in any case.",
            severity="warning",
        )


def drawing_problems(root: Path, steps: Iterable[Step]) -> Iterator[Problem]:
    """A warning for each file that draws a Step, and can not be translated. It takes a moment."""
    files = dict.fromkeys(find_components(root, steps).values())
    if not files or find_node() is None:
        return
    for fault in make_drawings(root, tuple(files)).values():
        if isinstance(fault, DrawingFault):
            file, _, line = fault.where.partition(":")
            yield Problem(
                file=file,
                line=int(line) if line else None,
                what=f"can not be drawn: {fault.what}",
                fix="Correct it; the Workbench draws the Step as all others until then.",
                severity="warning",
            )


def _exports_node(path: Path) -> bool:
    return _EXPORT.search(_text(path)) is not None


def _text(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LIMIT_BYTES)
    except OSError:
        return b""
