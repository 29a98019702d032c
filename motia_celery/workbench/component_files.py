"""Files beside Steps that draw them in the diagram, as Motia's Workbench knows them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from motia_celery.model.problem import Problem
from motia_celery.model.step import Step
from motia_celery.runtime.drawing import DrawingFault, make_drawings
from motia_celery.runtime.node import find_node

_SUFFIXES = (".tsx", ".jsx")
_LIMIT_BYTES = 256 * 1024
_EXPORT = re.compile(
    rb"^[ \t]*export[ \t]+(?:default\b|(?:const|let|var|function|class)[ \t]+Node\b"
    rb"|\{[^}]*\b(?:Node|default)\b[^}]*\})",
    re.MULTILINE,
)


def find_component(root: Path, step: Step) -> str | None:
    """The file, of the Step's name, that exports a node; it is relative to the project's root."""
    for suffix in _SUFFIXES:
        file = Path(step.file).with_suffix(suffix)
        if _exports_node(root / file):
            return file.as_posix()
    return None


def find_components(root: Path, steps: Iterable[Step]) -> dict[str, str]:
    """The files of all Steps that have one, by the Step's name."""
    steps = [*steps]
    # To look into a folder once is faster than to try the two names of each Step.
    folders = {Path(step.file).parent for step in steps}
    beside = {path for folder in folders for path in _drawings(root, folder)}
    found = (
        (step.name, find_component(root, step))
        for step in steps
        if Path(step.file).with_suffix("") in beside
    )
    return {name: file for name, file in found if file is not None}


def _drawings(root: Path, folder: Path) -> Iterator[Path]:
    """The files of a folder that may draw a Step, without their suffixes."""
    with contextlib.suppress(OSError):
        for path in (root / folder).iterdir():
            if path.suffix in _SUFFIXES:
                yield folder / path.stem


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
