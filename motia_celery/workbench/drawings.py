"""Which modules draw Steps now."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from motia_celery.runtime.drawing import Drawing, DrawingFault, make_drawings


class Drawings:
    """The modules of the project's files, made anew where a file that they were made of changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Drawing, _Stamp]] = {}
        # Pages that come together have each file translated once.
        self._lock = threading.Lock()

    def get(self, root: Path, files: Sequence[str]) -> Mapping[str, Drawing | DrawingFault]:
        """The module of each file, or why there is none. It blocks while Node translates."""
        with self._lock:
            changed = [file for file in files if not self._is_fresh(file)]
            made = make_drawings(root, changed) if changed else {}
            for file, drawing in made.items():
                if isinstance(drawing, Drawing):
                    self._known[file] = drawing, _stamp(drawing.inputs)
            return {file: made.get(file) or self._known[file][0] for file in files}

    def _is_fresh(self, file: str) -> bool:
        known = self._known.get(file)
        return known is not None and known[1] == _stamp(known[0].inputs)


_Stamp = tuple[tuple[int, int] | None, ...]


def _stamp(files: Iterable[Path]) -> _Stamp:
    return tuple(map(_stamp_of, files))


def _stamp_of(file: Path) -> tuple[int, int] | None:
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size
