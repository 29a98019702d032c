"""The wheel in a fresh environment: each template is made, run, asked, and stopped."""

from __future__ import annotations

import json
import os
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from acceptance.conftest import free_port, wait_for_web
from acceptance.wheel import Installed, build
from integration.apps import ROOT, Process, wait_until

#: Building and installing take most of a minute on a busy machine.
pytestmark = pytest.mark.timeout(300)

#: What is asked of each: the request that begins its flow, and what its end looks like.
FLOWS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "python": ("/greetings", {"name": "Ann"}, {"text": "Hello, Ann!"}),
    "typescript": ("/greetings", {"name": "Ann"}, {"text": "Hello, Ann!"}),
    "multilang": (
        "/greetings",
        {"name": "Ann"},
        {"texts": {"de": "Guten Tag, Ann!", "es": "Hola, Ann!", "fr": "Bonjour, Ann!"}},
    ),
    "orders": (
        "/orders",
        {"item": "lamp", "quantity": 2, "email": "ann@example.com"},
        {"status": "paid"},
    ),
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Installed:
    return Installed(tmp_path_factory.mktemp("fresh") / "venv", wheel, "embedded")


@pytest.fixture
def installed(environment: Installed) -> Iterator[Installed]:
    yield environment
    environment.close()


@pytest.mark.parametrize("template", FLOWS)
def test_a_new_app_runs_by_the_commands_that_create_prints(
    template: str, installed: Installed, tmp_path: Path
) -> None:
    told = installed.run(tmp_path, "motia-celery", "create", "shop", "--template", template)
    commands = [line.strip() for line in told.splitlines() if line.startswith("  ")]
    assert commands == ["cd shop", "motia-celery dev"]

    port = free_port()
    address = f"http://127.0.0.1:{port}"
    process = installed.start(
        tmp_path, f"{commands[0]} && exec {commands[1]}", PORT=str(port), MOTIA_PREFIX="shop"
    )
    wait_for_web(address, process)
    path, body, wanted = FLOWS[template]
    begun = httpx.post(f"{address}{path}", json=body, timeout=30)
    assert begun.status_code == 202, begun.text
    (identity,) = begun.json().values()
    wait_until(
        lambda: wanted.items() <= _found(f"{address}{path}/{identity}").items(),
        f"the end of the flow, {wanted}",
        40,
    )
    assert httpx.post(f"{address}{path}", json={}, timeout=30).status_code == 400
    assert httpx.get(f"{address}/__workbench", timeout=30, follow_redirects=True).is_success
    assert "Traceback" not in process.output
    _stops_cleanly(process)


def _found(url: str) -> dict[str, Any]:
    return dict(httpx.get(url, timeout=30).json())


def _stops_cleanly(process: Process) -> None:
    """Ctrl-C ends it and all that it started, its Valkey too."""
    family = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(40) == 0
    _, alive = psutil.wait_procs(family, timeout=15)
    assert not alive, alive


@pytest.mark.parametrize("template", FLOWS)
def test_a_new_app_has_no_problems(template: str, installed: Installed, tmp_path: Path) -> None:
    """And has what a deploy needs: dot files too are in the wheel."""
    made = installed.run(tmp_path, "motia-celery", "create", "new", "-t", template, "--json")
    assert json.loads(made)["commands"] == ["cd new", "motia-celery dev"]
    app = tmp_path / "new"
    for name in ("Procfile", ".env.example", ".gitignore", "requirements.txt", "README.md"):
        assert (app / name).is_file(), name
    assert not [p for p in app.rglob("*") if p.is_file() and "{{" in p.read_text("utf-8")]
    assert json.loads(installed.run(app, "motia-celery", "check", "--json")) == []


def test_the_wheel_has_what_runs_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {
        "motia_celery/py.typed",
        "motia_celery/runtime/node/dist/host.mjs",
        "motia_celery/workbench/ui/dist/index.html",
        "motia_celery/templates/shared/.env.example",
    } <= set(names)
    assert not [name for name in names if "node_modules" in name or "/src/" in name]
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_tutorial_is_the_example_app() -> None:
    """One app, in the repository and in the wheel."""
    assert _texts(ROOT / "steps") == _texts(ROOT / "motia_celery/templates/orders/steps")


def _texts(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text("utf-8")
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
