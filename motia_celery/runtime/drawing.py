"""The files that draw Steps in the Workbench, made into modules for its page by Node.

None of them is executed here; that is the browser's part.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motia_celery.runtime.node import find_node

_PROGRAM = Path(__file__).parent / "node" / "dist" / "drawing.mjs"
_TIMEOUT_SECONDS = 60.0
_NO_NODE = "Node is not installed, and translates it for the browser"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A module whose ``Node`` draws a Step, and the files that it was made of."""

    code: str
    inputs: tuple[Path, ...]

    @property
    def version(self) -> str:
        """The same for the same code alone."""
        return hashlib.sha256(self.code.encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawingFault:
    """Why a file can not be made into a module; ``where`` is the file, with its line."""

    what: str
    where: str


def make_drawings(root: Path, files: Sequence[str]) -> Mapping[str, Drawing | DrawingFault]:
    """The module of each file, or why there is none; all files are relative to ``root``."""
    try:
        told = json.loads(_run(root, files))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        what = "Node could not translate it: " + _reason(error)
        return {file: DrawingFault(what=what, where=file) for file in files}
    return {file: _read(each) for file, each in zip(files, told, strict=True)}


def scope_of(file: str) -> str:
    """The class of the element that a file draws in: its styles count there alone."""
    return f"own-{hashlib.sha256(file.encode()).hexdigest()[:12]}"


def _run(root: Path, files: Sequence[str]) -> bytes:
    node = find_node()
    if node is None:
        return json.dumps(list(_all_without_node(files))).encode()
    asked = [{"file": str(root.resolve() / file), "scope": scope_of(file)} for file in files]
    done = subprocess.run(
        [node, str(_PROGRAM)],
        cwd=root,
        input=json.dumps({"root": str(root.resolve()), "files": asked}).encode(),
        capture_output=True,
        timeout=_TIMEOUT_SECONDS,
        check=True,
    )
    return done.stdout


def _all_without_node(files: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    for file in files:
        yield {"error": {"message": _NO_NODE, "file": file}}


def _read(told: Mapping[str, Any]) -> Drawing | DrawingFault:
    if fault := told.get("error"):
        line = f":{fault['line']}" if "line" in fault else ""
        return DrawingFault(what=fault["message"], where=f"{fault['file']}{line}")
    return Drawing(code=told["code"], inputs=tuple(Path(file) for file in told["inputs"]))


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return str(error.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]) or "it died"
    return str(error)
