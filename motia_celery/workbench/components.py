"""Files beside Steps that draw them in Motia's own Workbench.

They need Motia's packages and its bundler, neither of which is here, so they are told of and not
drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from motia_celery.model.step import Step

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
    found = ((step.name, find_component(root, step)) for step in steps)
    return {name: file for name, file in found if file is not None}


def _exports_node(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _EXPORT.search(file.read(_LIMIT_BYTES)) is not None
    except OSError:
        return False
