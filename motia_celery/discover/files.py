"""Which files are Steps and streams, and in which order they are registered."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from motia_celery.runtime.languages import LANGUAGES
from motia_celery.runtime.modules import STEP_FOLDERS
from motia_celery.runtime.source import SourceFile

_NAME = re.compile(r"(?!.*\.test\.).+(?P<mark>[._])(?P<kind>step|stream)\.(?P<suffix>py|ts|js|rb)")
_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__"})


def find_sources(root: Path) -> tuple[SourceFile, ...]:
    """The Step and stream files in Motia's order: ``steps/`` before ``src/``, and in each the
    names with a dot (``x.step.py``) before those with an underscore (``x_step.py``).
    """
    found: list[SourceFile] = []
    for folder in STEP_FOLDERS:
        files = sorted(_walk(root / folder))
        found.extend(_sources(root, files, "."))
        found.extend(_sources(root, files, "_"))
    return tuple(found)


#: In this order; the first that is there counts.
_CONFIG_FILES = ("motia.config.ts", "motia.config.js", "motia.config.py", "motia_config.py")


def find_config(root: Path) -> tuple[SourceFile, ...]:
    """The project's config files; only the first counts."""
    paths = [root / name for name in _CONFIG_FILES if (root / name).is_file()]
    return tuple(
        SourceFile(
            path=path,
            file=path.name,
            kind="config",
            language=LANGUAGES[path.suffix.removeprefix(".")],
        )
        for path in paths
    )


def _sources(root: Path, files: list[Path], mark: str) -> Iterator[SourceFile]:
    for path in files:
        match = _NAME.fullmatch(path.name)
        source = source_at(path, path.relative_to(root).as_posix())
        if match and source and match["mark"] == mark:
            yield source


def source_at(path: Path, file: str) -> SourceFile | None:
    """The Step or stream file at ``path``, or None if its name is that of neither."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    return SourceFile(
        path=path,
        file=file,
        kind="step" if match["kind"] == "step" else "stream",
        language=LANGUAGES[match["suffix"]],
    )


def _walk(folder: Path) -> Iterator[Path]:
    for directory, folders, names in os.walk(folder, followlinks=False):
        folders[:] = [f for f in folders if f not in _SKIPPED_FOLDERS and not f.startswith(".")]
        for name in names:
            if not name.startswith("."):
                yield Path(directory, name)
