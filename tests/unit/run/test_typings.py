"""The file that declares ``motia`` to editors is made once, and harms nobody's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from motia_celery.errors import ConfigError
from motia_celery.plan import compile_plan
from motia_celery.run.typings import TYPES_FILE, write_step_types, write_types


def test_it_declares_the_module(tmp_path: Path) -> None:
    file = write_types(tmp_path)
    assert file == tmp_path / "motia-env.d.ts"
    assert "declare module 'motia' {" in file.read_text()
    assert "declare module 'motia/workbench' {" in file.read_text()


def test_it_is_written_only_where_it_differs(tmp_path: Path) -> None:
    file = tmp_path / TYPES_FILE
    write_types(tmp_path)
    made = file.stat().st_mtime_ns
    write_types(tmp_path)
    assert file.stat().st_mtime_ns == made
    text = file.read_text()
    file.write_text(text + "// of an older version\n")
    write_types(tmp_path)
    assert file.read_text() == text


def test_a_file_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / TYPES_FILE
    file.write_text("declare const mine: 1;\n")
    with pytest.raises(ConfigError, match="was not made by this command"):
        write_types(tmp_path)
    assert file.read_text() == "declare const mine: 1;\n"


def test_nothing_is_written_where_the_package_is_installed(tmp_path: Path) -> None:
    """It may lie in a folder above, as in a workspace."""
    (tmp_path / "node_modules" / "motia").mkdir(parents=True)
    project = tmp_path / "apps" / "shop"
    project.mkdir(parents=True)
    assert write_types(project) is None
    assert list(project.iterdir()) == []


def test_steps_are_declared_where_the_package_has_them(tmp_path: Path) -> None:
    """Motia's own types have no other place; ours leave `Handlers` to be called with a config."""
    plan = compile_plan(prefix="p", timezone="UTC", steps=())
    file = write_step_types(tmp_path, plan)
    assert "interface HandlersByName {" in file.read_text()
    (tmp_path / "node_modules" / "motia").mkdir(parents=True)
    write_step_types(tmp_path, plan)
    assert "interface Handlers {" in file.read_text()
