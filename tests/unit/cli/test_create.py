"""`create` and `generate`: what is written, and what is left as it is."""

from __future__ import annotations

import ast
import json
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from motia_celery.cli import app
from motia_celery.cli.create import _Name
from motia_celery.discover import discover
from motia_celery.errors import OverwriteError
from motia_celery.run.step_file import StepFile
from motia_celery.run.template import TEMPLATES
from motia_celery.runtime.python import PythonHost
from motia_celery.runtime.ruby import RubyHost
from motia_celery.settings import load_settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_knows_every_template() -> None:
    assert set(get_args(_Name)) == set(TEMPLATES)


@pytest.mark.parametrize("template", TEMPLATES)
def test_an_app_has_its_own_names(folder: Path, template: str) -> None:
    """Its name is in its files, and starts the names of its queues."""
    told = json.loads(run("create", "My_Shop", "--template", template, "--json"))
    app_folder = folder / "My_Shop"
    assert told["commands"] == ["cd My_Shop", told["commands"][1]]
    assert (app_folder / "README.md").read_text().startswith("# My_Shop\n")
    assert tomllib.loads((app_folder / "config/default.toml").read_text())["prefix"] == "my-shop"
    assert load_settings(app_folder).prefix == "my-shop"
    assert sorted(told["files"]) == sorted(
        str(path.relative_to(app_folder)) for path in app_folder.rglob("*") if path.is_file()
    )


def test_this_folder_may_become_the_app(folder: Path) -> None:
    """What git and editors have put there does not matter."""
    (folder / ".git").mkdir()
    assert json.loads(run("create", ".", "--json"))["commands"][0].endswith("dev")
    assert (folder / "steps" / "create_greeting_step.py").is_file()


def test_nothing_is_overwritten(folder: Path) -> None:
    (folder / "shop").mkdir()
    (folder / "shop" / "mine.txt").write_text("mine")
    (folder / "file").write_text("mine")
    for name in ("shop", "file"):
        result = CliRunner().invoke(app, ["create", name])
        assert isinstance(result.exception, OverwriteError)
    assert sorted(path.name for path in folder.rglob("*")) == ["file", "mine.txt", "shop"]


@pytest.mark.parametrize("name", ["../up", "a/b", "-x", "", "ä", "a b"])
def test_a_name_is_a_plain_word(folder: Path, name: str) -> None:
    assert CliRunner().invoke(app, ["create", "--", name]).exit_code == 2
    assert list(folder.iterdir()) == []


NAMES = ["send-mail", "Send mail", 'it\'s "quoted"', "日本"]


@pytest.mark.parametrize("kind", ["api", "event", "cron", "noop"])
@pytest.mark.parametrize("name", NAMES)
def test_a_step_is_written_in_python(folder: Path, kind: str, name: str) -> None:
    path = StepFile(name=name, kind=kind, language="python").write(folder)  # type: ignore[arg-type]
    assert path.name.endswith("_step.py")
    tree = ast.parse((folder / path).read_text())
    config = ast.literal_eval(tree.body[0].value)  # type: ignore[attr-defined]
    assert (config["name"], config["type"]) == (name, kind)
    assert len(tree.body) == (1 if kind == "noop" else 2)


def test_steps_are_written_in_ruby(folder: Path) -> None:
    """A name's quotes stay a name, and its `#{}` is no code."""
    names = {kind: f'say "it\'s" #{{1}} {kind}' for kind in ("api", "event", "cron", "noop")}
    for kind, name in names.items():
        written = StepFile(name=name, kind=kind, language="ruby").write(folder)  # type: ignore[arg-type]
        assert written.name.endswith("_step.rb")
    found = discover(folder, PythonHost(folder), RubyHost(folder))
    assert found.problems == ()
    assert {step.name for step in found.steps} == set(names.values())


def test_generate_step_says_where(folder: Path) -> None:
    """The language is the project's; a file that is there stays as it is."""
    assert "steps/send_mail_step.py" in run("generate", "step", "send-mail")
    again = CliRunner().invoke(app, ["generate", "step", "send mail", "--type", "cron"])
    assert isinstance(again.exception, OverwriteError)
    assert '"event"' in (folder / "steps/send_mail_step.py").read_text()
    (folder / "tsconfig.json").write_text("{}")
    assert "src/mail/x.step.ts" in run("generate", "step", "x", "-t", "api", "-d", "src/mail")
    assert "steps/y.step.js" in run("generate", "step", "y", "--language", "javascript")
    assert "steps/z_step.rb" in run("generate", "step", "z", "--language", "ruby")


def test_generate_openapi(folder: Path) -> None:
    """The document that the app serves, in a file."""
    run("generate", "step", "hello", "--type", "api")
    run("generate", "openapi", "--title", "Hello", "--version", "2.1.0")
    document = json.loads((folder / "openapi.json").read_text())
    assert document["info"] == {"title": "Hello", "version": "2.1.0"}
    assert list(document["paths"]) == ["/hello"]
    assert json.loads(run("generate", "openapi", "-o", "-"))["info"]["version"] == "1.0.0"
