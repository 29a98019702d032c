"""The pytest plugin: fixtures and options to test Steps with. It loads the rest when it is used."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from motia_celery.testing import CallResult, StepTester, SyncStepTester

_OPTIONS = {
    "--motia-broker": (
        "MOTIA_TEST_BROKER_URL",
        "Run apps under test on this RabbitMQ (amqp://…) in place of memory.",
    ),
    "--motia-redis": (
        "MOTIA_TEST_REDIS_URL",
        "Run apps under test on this Redis (redis://…) in place of memory.",
    ),
}

_MOST_FOLDERS = 500


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options."""
    group = parser.getgroup("motia-celery", "Steps under test")
    for name, (variable, text) in _OPTIONS.items():
        group.addoption(name, metavar="URL", help=f"{text} Also: {variable}.")
    group.addoption("--motia-root", metavar="FOLDER", help="The project's folder.")
    parser.addini("motia_root", "The folder of the project whose Steps are tested.")


def pytest_configure(config: pytest.Config) -> None:
    """Lets tests import the project's modules under the names that Steps know them by."""
    for option, (variable, _) in _OPTIONS.items():
        if url := config.getoption(option):
            os.environ[variable] = url
    root = project_root(config)
    if _has_steps(root):
        from motia_celery.runtime.modules import prepare_imports

        prepare_imports(root)


def project_root(config: pytest.Config) -> Path:
    """The folder of the project under test."""
    given = config.getoption("--motia-root") or os.environ.get("MOTIA_ROOT")
    return Path(given or config.rootpath / config.getini("motia_root")).resolve()


def _has_steps(root: Path) -> bool:
    """Whether the folder is a project of Steps: only then anything is done."""
    names = ("_step.py", ".step.py", "_stream.py")
    return any(file.endswith(names) for folder in ("steps", "src") for file in _files(root, folder))


def _files(root: Path, folder: str) -> Iterator[str]:
    """Names of files, of so many folders that no test run waits for it."""
    for _, (_, folders, files) in zip(range(_MOST_FOLDERS), os.walk(root / folder), strict=False):
        folders[:] = [name for name in folders if name != "node_modules" and name[0] not in "._"]
        yield from files


@pytest.fixture
def step_tester(pytestconfig: pytest.Config) -> StepTester:
    """The project's app, to be started by ``async with step_tester as app:``."""
    from motia_celery.testing import StepTester

    return StepTester(project_root(pytestconfig))


@pytest.fixture
def step_tester_sync(pytestconfig: pytest.Config) -> Iterator[SyncStepTester]:
    """The project's app, started, for tests that are plain functions."""
    from motia_celery.testing import SyncStepTester

    with SyncStepTester(project_root(pytestconfig)) as app:
        yield app


@pytest.fixture
def call_step(pytestconfig: pytest.Config) -> Callable[..., Awaitable[CallResult]]:
    """``await call_step("steps/x_step.py", data)`` calls one handler of the project."""
    from motia_celery import testing

    return partial(testing.call_step, root=project_root(pytestconfig))


@pytest.fixture
def call_step_sync(pytestconfig: pytest.Config) -> Callable[..., CallResult]:
    """``call_step("steps/x_step.py", data)`` for tests that are plain functions."""
    from motia_celery import testing

    return partial(testing.call_step_sync, root=project_root(pytestconfig))
