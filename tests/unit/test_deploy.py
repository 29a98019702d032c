"""What platforms read: each names commands, files and settings that are there."""

from __future__ import annotations

import configparser
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from motia_celery.cli import app
from motia_celery.settings import load_settings

ROOT = Path(__file__).parents[2]
SHARED = ROOT / "motia_celery" / "templates" / "shared"
COMMANDS = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
PROCESSES = {"web", "worker", "beat"}


def fences(file: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / file).read_text(), re.M | re.S)


def named(word: str, values: Any) -> Iterator[Any]:
    """Every value of that key, however deep."""
    for key, value in values.items() if isinstance(values, dict) else enumerate(values):
        if key == word:
            yield value
        if isinstance(value, (dict, list)):
            yield from named(word, value)


@pytest.mark.parametrize("folder", [ROOT, SHARED], ids=["repository", "new app"])
def test_each_line_of_a_procfile_is_a_command(folder: Path) -> None:
    lines = dict(line.split(": ", 1) for line in (folder / "Procfile").read_text().splitlines())
    assert {*PROCESSES, "release"} <= lines.keys()
    for line in lines.values():
        program, command, *_ = line.split()
        assert program == "motia-celery"
        assert command in COMMANDS
    described = json.loads((folder / "app.json").read_text())
    assert described["formation"].keys() <= lines.keys()
    assert {"cloudamqp", "heroku-redis"} == set(described["addons"])


def test_the_compose_file_has_a_service_for_each_process() -> None:
    services = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())["services"]
    ours = {name: s["command"] for name, s in services.items() if s["image"] == "motia-celery"}
    assert ours.keys() == {*PROCESSES, "flower", "release"}
    assert all(line == ["motia-celery", name] for name, line in ours.items())
    assert ours.keys() <= COMMANDS
    for name in PROCESSES:
        assert services[name]["depends_on"] == {
            "release": {"condition": "service_completed_successfully"}
        }
        grace = int(services[name]["stop_grace_period"].removesuffix("s"))
        assert grace > load_settings(ROOT, {"MOTIA_ENV": "production"}).soft_shutdown_seconds
    for server in ("rabbitmq", "redis"):
        assert services[server]["healthcheck"]["test"]


def test_the_kubernetes_manifests_fit_together() -> None:
    (text,) = fences("docs/deploy.md", "yaml")
    objects = list(yaml.safe_load_all(text))
    assert all({"apiVersion", "kind", "metadata"} <= one.keys() for one in objects)
    deployments = {o["metadata"]["name"]: o["spec"] for o in objects if o["kind"] == "Deployment"}
    assert {name.removeprefix("shop-") for name in deployments} == PROCESSES
    for name, spec in deployments.items():
        labels = spec["template"]["metadata"]["labels"]
        assert spec["selector"]["matchLabels"] == labels
        (container,) = spec["template"]["spec"]["containers"]
        assert container["command"] == ["motia-celery", name.removeprefix("shop-")]
    (service,) = [one["spec"] for one in objects if one["kind"] == "Service"]
    assert service["selector"] == deployments["shop-web"]["selector"]["matchLabels"]
    (variables,) = [one["data"] for one in objects if one["kind"] == "ConfigMap"]
    assert load_settings(ROOT, dict(variables)).environment == "production"


def test_the_systemd_unit_can_be_read() -> None:
    (text,) = fences("docs/deploy.md", "ini")
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(text)
    assert unit.sections() == ["Unit", "Service", "Install"]
    assert unit["Service"]["ExecStart"].endswith("/motia-celery %i")
    assert {"web", "worker", "beat"} <= COMMANDS


@pytest.mark.parametrize("file", [ROOT / "docker" / "Dockerfile", SHARED / "Dockerfile"])
def test_the_dockerfiles_pass_their_linter(file: Path) -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, file], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("folder", [ROOT, SHARED], ids=["repository", "new app"])
def test_the_settings_of_production_are_settings(folder: Path) -> None:
    """And so is each line of them that is commented out, once it is not."""
    for file in (folder / "config").glob("*.toml"):
        text = file.read_text().replace("{{prefix}}", "shop")
        offered = "\n".join(re.findall(r"^# (\w+ = .*)$", text, re.M))
        for lines in (text, offered):
            names = tomllib.loads(lines).keys()
            assert names <= type(load_settings(ROOT)).model_fields.keys(), file


def test_the_heroku_requirements_are_the_images() -> None:
    """Both install the package with the same extras."""
    extras = re.findall(r"\[([a-z,]+)\]", (ROOT / "requirements.txt").read_text())
    docker = re.findall(r"\$\{wheel\}\[([a-z,]+)\]", (ROOT / "docker" / "Dockerfile").read_text())
    assert [set(one.split(",")) for one in extras] == [set(one.split(",")) for one in docker]
