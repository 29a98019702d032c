"""mypy and pyright, as strict as they can be, agree with what users' Python Steps may say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import get_type_hints

import pytest
from pydantic import BaseModel

from motia_celery import Context, SyncContext
from motia_celery.context.blocking import SyncState, SyncStream
from motia_celery.context.state import State
from motia_celery.context.streams import Stream
from motia_celery.context.trigger import Triggered
from motia_celery.model import typed
from motia_celery.model.config import (
    ApiStep,
    CronStep,
    EmitConfig,
    EventStep,
    NoopStep,
    QueryParamConfig,
)
from motia_celery.model.options import (
    HandlerConfig,
    HandlerInfrastructureConfig,
    InfrastructureConfig,
    QueueConfig,
    RetryConfig,
)
from motia_celery.runtime.node import find_node

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = ("typed_steps.py", "motia_steps.py")

Check = Callable[[Path], subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in EXAMPLES:
        shutil.copy(REPOSITORY / "tests" / "types" / name, tmp_path)
    return tmp_path


def run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    # Stubs count only where packages are installed, which this path stands for.
    environment = os.environ | {"MYPYPATH": str(REPOSITORY), "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def mypy(folder: Path) -> subprocess.CompletedProcess[str]:
    """Without pydantic's plugin: most users have none."""
    (folder / "mypy.ini").write_text("[mypy]\nstrict = true\nfollow_imports = silent\n")
    return run([sys.executable, "-m", "mypy", *EXAMPLES], folder)


@pytest.fixture
def pyright(npm_packages: Path) -> Check:
    def pyright(folder: Path) -> subprocess.CompletedProcess[str]:
        config = {
            "include": ["."],
            "typeCheckingMode": "strict",
            "extraPaths": [str(REPOSITORY)],
            "reportMissingModuleSource": False,
            "enableTypeIgnoreComments": False,
            "reportUnnecessaryTypeIgnoreComment": True,
        }
        (folder / "pyrightconfig.json").write_text(json.dumps(config))
        program = str(npm_packages / "pyright" / "index.js")
        return run([find_node() or "node", program, "--pythonpath", sys.executable], folder)

    return pyright


def test_mypy_finds_what_is_marked_as_wrong_and_nothing_else(folder: Path) -> None:
    done = mypy(folder)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pyright_finds_what_is_marked_as_wrong_and_nothing_else(
    folder: Path, pyright: Check
) -> None:
    done = pyright(folder)
    assert done.returncode == 0, done.stdout + done.stderr


DICTS: list[tuple[type[BaseModel], type]] = [
    (ApiStep, typed.ApiRouteConfig),
    (EventStep, typed.EventConfig),
    (CronStep, typed.CronConfig),
    (NoopStep, typed.NoopConfig),
    (EmitConfig, typed.EmitDict),
    (QueryParamConfig, typed.QueryParamDict),
    (HandlerConfig, typed.HandlerDict),
    (QueueConfig, typed.QueueDict),
    (HandlerInfrastructureConfig, typed.HandlerInfrastructureDict),
    (InfrastructureConfig, typed.InfrastructureDict),
    (RetryConfig, typed.RetryDict),
]


@pytest.mark.parametrize(("model", "typed_dict"), DICTS)
def test_a_typed_dict_has_the_fields_that_are_read(
    model: type[BaseModel], typed_dict: type
) -> None:
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    assert set(get_type_hints(typed_dict)) == set(fields)
    # ``type`` has a default in the typed object; the dict is known by it.
    required = {name for name, field in fields.items() if field.is_required()}
    is_step = issubclass(model, (ApiStep, EventStep, CronStep, NoopStep))
    named = {"type"} if is_step else set()
    assert typed_dict.__required_keys__ == required | named  # type: ignore[attr-defined]


def _members(kind: type) -> Iterator[str]:
    return (name for name in vars(kind) if not name.startswith("_"))


@pytest.mark.parametrize(
    ("protocol", "real"), [(SyncContext, Context), (SyncState, State), (SyncStream, Stream)]
)
def test_the_types_for_threads_name_what_there_is(protocol: type, real: type) -> None:
    # For the runtime, not for handlers; and what the protocol names without a member for it.
    own = {"finish", "settle", "cancel", "knows", "reply", "response_to", "written"}
    own |= {"logger", "celery"} if real is Context else set()
    camel = {"getGroup", "compareAndSet", "listGroups", "list", "getData"}
    there = set(_members(real)) - own - camel | ({"state", "streams"} if real is Context else set())
    there |= set(_members(Triggered)) - own - camel if real is Context else set()
    assert set(_members(protocol)) == there
