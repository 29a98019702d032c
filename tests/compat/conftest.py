"""A test's project, run in memory."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from types import ModuleType

import pytest
from compat.rules import project_of

from motia_celery.testing import StepTester, tester


@pytest.fixture
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A copy of the test's project, so that nothing is left in it, or of it."""
    root = copytree(project_of(request.node.name), tmp_path / "project")
    yield root
    own = [name for name, module in sys.modules.items() if _is_of(module, root)]
    for name in own:
        del sys.modules[name]
    sys.path[:] = [entry for entry in sys.path if not entry.startswith(str(root))]


def _is_of(module: ModuleType, root: Path) -> bool:
    return str(getattr(module, "__file__", None)).startswith(str(root))


@pytest.fixture
def app(project: Path) -> StepTester:
    """The app of the test's project, to be entered."""
    return StepTester(project)


@pytest.fixture
def faulty_app(app: StepTester, monkeypatch: pytest.MonkeyPatch) -> StepTester:
    """The app as ``dev`` runs it: what is at fault is left out, and told."""
    monkeypatch.setattr(tester, "_require_usable", lambda plan: None)
    return app
