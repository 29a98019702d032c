"""Tiny projects for unit tests: files written to a folder, forgotten by the import system after."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from motia_celery.discover import discover
from motia_celery.runtime.node import NodeHost
from motia_celery.runtime.python import PythonHost
from motia_celery.runtime.ruby import RubyHost

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from motia_celery.discover import Project


class Folder:
    """A project's folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.host: PythonHost | None = None

    def write(self, file: str, text: str = "") -> Path:
        """Write one file, its text dedented."""
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def discover(self) -> Project:
        """Read the project; ``host`` then calls its handlers."""
        self.host = PythonHost(self.root, threads=4)
        self.node = NodeHost(self.root)
        return discover(self.root, self.host, self.node, RubyHost(self.root))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Folder]:
    """An empty project, whose modules are forgotten at the end of the test."""
    modules, path = set(sys.modules), [*sys.path]
    folder = Folder(tmp_path)
    yield folder
    if folder.host:
        folder.host.close()
    sys.path[:] = path
    written = {name for name in set(sys.modules) - modules if _is_below(tmp_path, name)}
    for name in written:
        del sys.modules[name]


def _is_below(folder: Path, name: str) -> bool:
    module = sys.modules[name]
    file = getattr(module, "__file__", None)
    places = [file] if file else getattr(module, "__path__", [])
    return any(str(place).startswith(str(folder)) for place in places)
