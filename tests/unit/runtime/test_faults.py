"""Errors of handlers lead to the user's line."""

from __future__ import annotations

import pytest

from motia_celery.runtime.faults import run_error
from motia_celery.runtime.modules import load_module


def caught(project, file, call="handler()"):
    """The error that calling into this file raises, through frames of the framework."""
    project.discover()
    module = load_module(project.root, project.root / file)
    with pytest.raises(BaseException) as caught:
        eval(call, vars(module))
    return run_error(caught.value, project.root)


def test_the_innermost_line_of_the_project_is_named(project):
    project.write("steps/a_step.py", "from .lib import fail\n\ndef handler():\n    fail()\n")
    project.write("steps/lib.py", "import json\n\ndef fail():\n    json.loads('{')\n")
    error = caught(project, "steps/a_step.py")
    assert error.type == "JSONDecodeError"
    assert error.where == "steps/lib.py:4"
    assert str(error).startswith("JSONDecodeError: Expecting")


def test_libraries_in_the_projects_own_virtual_environment_are_not_the_users_line(project):
    project.write(".venv/lib/python3/site-packages/faulty_lib.py", "def fail():\n    1 / 0\n")
    project.write("venv/lib/python3/site-packages/other_lib.py", "def fail():\n    1 / 0\n")
    project.write(
        "steps/a_step.py",
        """
        import sys, pathlib
        for folder in (".venv", "venv"):
            path = pathlib.Path(__file__).parents[1] / folder / "lib/python3/site-packages"
            sys.path.append(str(path))
        import faulty_lib, other_lib
        def one():
            faulty_lib.fail()
        def two():
            other_lib.fail()
        """,
    )
    assert caught(project, "steps/a_step.py", "one()").where == "steps/a_step.py:8"
    assert caught(project, "steps/a_step.py", "two()").where == "steps/a_step.py:10"


def test_frames_before_the_users_first_line_are_hidden(project):
    project.write("steps/a_step.py", "def handler():\n    raise ValueError('no')\n")
    error = caught(project, "steps/a_step.py")
    assert error.traceback.splitlines()[0].strip().startswith("File")
    assert "steps/a_step.py" in error.traceback.splitlines()[0]
    assert "motia_celery" not in error.traceback
    assert "eval" not in error.traceback
    assert error.traceback.endswith("ValueError: no\n")


def test_an_error_whose_message_fails_is_shown_by_its_type(project):
    project.write(
        "steps/a_step.py",
        "class Odd(Exception):\n  def __str__(self): return 1 / 0\ndef handler(): raise Odd\n",
    )
    error = caught(project, "steps/a_step.py")
    assert error.type == "Odd"
    assert "can not be shown" in error.message


def test_long_messages_and_tracebacks_are_cut(project):
    project.write(
        "steps/a_step.py",
        "def handler(n=900):\n  if n: handler(n - 1)\n  raise ValueError('x' * 10_000)\n",
    )
    error = caught(project, "steps/a_step.py")
    assert len(error.message) == 2_000
    assert len(error.traceback) == 8_000


def test_an_error_from_elsewhere_has_no_line(project):
    error = run_error(ValueError("x"), project.root)
    assert (error.where, str(error)) == ("", "ValueError: x")
    assert str(run_error(KeyError(), project.root)) == "KeyError"
