"""A test's project, run in memory."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest
from compat.rules import project_of

from motia_celery.testing import StepTester, tester


@pytest.fixture
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of the test's project, so that nothing is left in it."""
    return copytree(project_of(request.node.name), tmp_path / "project")


@pytest.fixture
def app(project: Path) -> StepTester:
    """The app of the test's project, to be entered."""
    return StepTester(project)


@pytest.fixture
def faulty_app(app: StepTester, monkeypatch: pytest.MonkeyPatch) -> StepTester:
    """The app as ``dev`` runs it: what is at fault is left out, and told."""
    monkeypatch.setattr(tester, "_require_usable", lambda plan: None)
    return app
