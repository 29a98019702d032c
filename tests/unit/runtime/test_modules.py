"""Imports between Step files: every spelling finds one and the same module."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from motia_celery.runtime.modules import PROJECT_PACKAGE, load_module, prepare_imports

#: Later than the test runs, so that it is no longer ago than a moment.
SAVED = int(time.time()) + 3600


def forget(top):
    for name in [*sys.modules]:
        if name.startswith((f"{PROJECT_PACKAGE}.{top}", f"{top}.")):
            del sys.modules[name]


@pytest.fixture
def load(project):
    def load(file):
        return load_module(project.root, project.root / file)

    prepare_imports(project.root)
    return load


@pytest.mark.parametrize(
    ("folder", "line"),
    [
        ("src", "from .services.bank import log"),
        ("src", "from src.services.bank import log"),
        ("src", "import src.services.bank as b; log = b.log"),
        ("src", "from .services import bank; log = bank.log"),
        ("src", "import importlib; log = importlib.import_module('src.services.bank').log"),
        ("steps", "from .services.bank import log"),
        ("steps", "from steps.services.bank import log"),
    ],
)
def test_relative_and_absolute_imports_give_one_instance(project, load, folder, line):
    """No file is executed twice."""
    project.write(f"{folder}/services/bank.py", "log = ['loaded']")
    project.write(f"{folder}/a_step.py", f"{line}\nlog.append('a')")
    project.write(f"{folder}/deep/b_step.py", "from ..services.bank import log\nlog.append('b')")
    first, second = load(f"{folder}/a_step.py"), load(f"{folder}/deep/b_step.py")
    assert first.log is second.log
    assert first.log == ["loaded", "a", "b"]


@pytest.mark.parametrize("line", ["from ...lib.money import log", "from lib.money import log"])
def test_imports_may_climb_out_of_the_step_folders(project, load, line):
    project.write("lib/money.py", "log = ['loaded']")
    project.write("steps/pay/a_step.py", line)
    project.write("steps/b_step.py", "from ..lib.money import log")
    project.write("src/c_step.py", "from ..lib import money\nlog = money.log")
    logs = [load(f).log for f in ("steps/pay/a_step.py", "steps/b_step.py", "src/c_step.py")]
    assert logs[0] is logs[1] is logs[2]


@pytest.mark.parametrize("name", ["types", "queue", "email"])
def test_a_folder_named_like_a_library_is_the_projects_own_when_climbed_to(project, load, name):
    project.write(f"{name}/order.py", "VALUE = 'mine'")
    project.write("steps/a_step.py", f"from ..{name}.order import VALUE")
    library = sys.modules.get(name)
    assert load("steps/a_step.py").VALUE == "mine"
    assert sys.modules.get(name) is library


def test_a_step_may_be_imported_by_another(project, load):
    project.write("steps/a_step.py", "items = []")
    project.write(
        "steps/b_step.py", "from .a_step import items\nfrom steps.a_step import items as i"
    )
    assert (
        load("steps/b_step.py").items is load("steps/a_step.py").items is load("steps/b_step.py").i
    )


def test_steps_may_import_each_other_in_a_circle(project, load):
    project.write("src/a_step.py", "NAME = 'a'\nfrom src.b_step import NAME as other")
    project.write("src/b_step.py", "from .a_step import NAME as first\nNAME = 'b'")
    assert (load("src/a_step.py").other, load("src/b_step.py").first) == ("b", "a")


@pytest.mark.parametrize(
    "file",
    [
        "steps/01-orders/02-create.step.py",
        "steps/v1.2/users.api/get_step.py",
        "steps/mit leerzeichen/für_step.py",
        "src/class/import_step.py",
    ],
)
def test_names_need_not_be_identifiers_and_relative_imports_work_there(project, load, file):
    project.write(file, "from .helper import VALUE\nfrom . import helper")
    project.write(str(Path(file).parent / "helper.py"), "VALUE = object()")
    module = load(file)
    assert module.VALUE is module.helper.VALUE


def test_files_that_differ_by_a_dot_are_different_modules(project, load):
    project.write("steps/a.step.py", "NAME = 'dotted'")
    project.write("steps/a_step.py", "NAME = 'underscored'")
    assert (load("steps/a.step.py").NAME, load("steps/a_step.py").NAME) == ("dotted", "underscored")


def test_packages_with_code_are_executed(project, load):
    project.write("steps/orders/__init__.py", "RATE = 7")
    project.write("steps/orders/a_step.py", "from . import RATE")
    assert load("steps/orders/a_step.py").RATE == 7


def test_modules_keep_their_spec_and_name(project, load):
    """An alias must not put its own spec in place of the module's."""
    project.write("src/x.py", "")
    project.write("src/a_step.py", "import src.x as x")
    module = load("src/a_step.py").x
    assert module.__spec__.name == module.__name__ == "motia_project.src.x"
    assert module.__spec__.origin == str(project.root / "src/x.py")


def test_a_file_that_fails_is_executed_anew_next_time(project, load):
    path = project.write("steps/a_step.py", "raise ValueError")
    with pytest.raises(ValueError):
        load("steps/a_step.py")
    path.write_text("NAME = 'mended, and longer'")
    assert load("steps/a_step.py").NAME.startswith("mended")


def test_two_saves_in_one_second_are_told_apart(project, load):
    """The import system tells bytecode apart by the second of the save and by the size alone."""
    for number in range(3):
        step = project.write("steps/a_step.py", f"from .lib import OF\nNUMBER = {number}")
        lib = project.write("steps/lib.py", f"OF = {number}")
        for path in (step, lib):
            os.utime(path, (SAVED, SAVED))
        forget("steps")
        loaded = load("steps/a_step.py")
        assert (number, number) == (loaded.NUMBER, loaded.OF)


def test_bytecode_of_older_files_is_kept(project, load):
    for file in ("steps/a_step.py", "steps/lib.py"):
        path = project.write(file, "from .lib import x" if "step.py" in file else "x = 1")
        os.utime(path, (SAVED - 7200, SAVED - 7200))
    load("steps/a_step.py")
    kept = {path.name.partition(".")[0] for path in (project.root / "steps").rglob("*.pyc")}
    assert kept == ({"a_step", "lib"} if not sys.dont_write_bytecode else set())


def test_another_project_does_not_get_the_modules_of_the_first(project, load):
    """Two apps in one process, as in a user's tests, have files of the same names."""
    for app in ("one", "two"):
        project.write(f"{app}/steps/a_step.py", f"from .lib import NAME\nAPP = '{app}'")
        project.write(f"{app}/steps/lib.py", f"NAME = '{app}'")
    for app in ("one", "two", "one"):
        root = project.root / app
        prepare_imports(root)
        module = load_module(root, root / "steps/a_step.py")
        assert (app, app) == (module.APP, module.NAME)
