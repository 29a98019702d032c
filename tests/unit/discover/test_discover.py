"""Discovery reads every file; one bad file never takes the others down."""

from __future__ import annotations

import pytest

from motia_celery.runtime import node

GOOD = """
config = {"type": "event", "name": "NAME", "subscribes": ["x"]}

async def handler(data, context):
    return data
"""


def good(name):
    return GOOD.replace("NAME", name)


def test_steps_and_streams_are_read_in_order(project):
    project.write("src/b_step.py", good("b"))
    project.write("steps/a_step.py", good("a"))
    project.write("steps/old.step.py", good("old"))
    project.write("steps/chat_stream.py", 'config = {"name": "chat", "schema": {}}')
    found = project.discover()
    assert [step.name for step in found.steps] == ["old", "a", "b"]
    assert [stream.name for stream in found.streams] == ["chat"]
    assert found.problems == ()


#: name: (the file, its line, words of what is wrong, words of the fix)
BAD = {
    "syntax error": ("x = 1\ndef broken(:\n", 2, "syntax error", "Correct the line"),
    "import error": ("\nimport no_such_package\n", 2, "no_such_package", "Install the package"),
    "import of no file": (
        "from .services.gone import x",
        1,
        "'steps.services'",
        "the project has no such file",
    ),
    "missing variable": (
        "import os\nKEY = os.environ['API_KEY_X']\n",
        2,
        "API_KEY_X",
        "Set the environment variable API_KEY_X",
    ),
    "sys.exit": ("import sys\n\nsys.exit(3)", 3, "SystemExit: 3", "must not end the process"),
    "no config": ("def handler(data, context): ...", None, "no config", "Define config"),
    "no handler": (
        '\nconfig = {"type": "api", "name": "n", "path": "/", "method": "GET"}',
        2,
        "has no handler",
        "Define async def handler",
    ),
    "handler that is none": (
        good("h").replace("async def handler", "handler = 7\nasync def other"),
        2,
        "no function but int",
        "Define async def handler",
    ),
    "handler that yields": (
        good("h").replace("return data", "yield data"),
        2,
        "'yield'",
        "Define async def handler",
    ),
    "config of another type": ("\n\nconfig = ['api']", 3, "config is list", "Write config = {"),
    "unknown type": ('config = {\n  "type": "apy",\n  "name": "n"}', 2, "'apy'", "api, event"),
    "bad field": (
        'config = {\n "type": "event", "name": "n",\n "subscribes": ["a*"]}\nhandler = print',
        3,
        "whole words",
        "Correct 'subscribes'",
    ),
    "bad typed config": (
        "from motia_celery import ApiStep\n\nconfig = ApiStep(\n  name='a', path='/', method='GO')",
        3,
        "method: ",
        "Correct the file",
    ),
    "error without a message": (
        "class E(Exception):\n  def __str__(self): return 1 / 0\nraise E",
        3,
        "can not be shown",
        "Correct the file",
    ),
    "empty key error": ("environ = {}\nraise KeyError  # environ", 2, "KeyError", "Correct"),
    "message of several lines": ("raise ValueError('a\\nb')", 1, "ValueError: a b", "Correct"),
    "text evaluated": ("\n\neval('1 +')", 3, "SyntaxError", "Correct the file"),
    "endless recursion": ("def f(): f()\nf()", 1, "RecursionError", "Correct the file"),
    "null byte": ("x = 1\0", None, "null byte", "Correct"),
    "cancelled": ("import asyncio\nraise asyncio.CancelledError", 2, "Cancelled", "Correct"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_listed_with_line_and_fix_and_the_rest_runs(project, name):
    text, line, what, fix = BAD[name]
    project.write("steps/a_step.py", good("a"))
    (project.root / "steps/bad_step.py").write_text(text)
    project.write("steps/c_step.py", good("c"))
    found = project.discover()
    assert [step.name for step in found.steps] == ["a", "c"]
    (problem,) = found.problems
    assert problem.severity == "error"
    assert problem.file == "steps/bad_step.py"
    if line:
        assert problem.line == line
    assert what in problem.what
    assert "\n" not in problem.what
    assert fix in problem.fix


def test_a_fault_in_an_imported_file_is_found_there(project):
    """The problem names the Step that is lost, and the place of the fault."""
    project.write("steps/a_step.py", "\nfrom .lib import x\n" + good("a"))
    project.write("steps/lib.py", "\n\nx = undefined\n")
    (problem,) = project.discover().problems
    assert problem.place == "steps/a_step.py:2"
    assert "NameError" in problem.what
    assert "(in steps/lib.py:3)" in problem.what


def test_a_syntax_error_in_an_imported_file_points_into_that_file(project):
    project.write("steps/a_step.py", "from .lib import x\n" + good("a"))
    project.write("steps/lib.py", "\n\nx = = 1\n")
    (problem,) = project.discover().problems
    assert problem.place == "steps/lib.py:3"


def test_a_file_that_can_not_be_read_is_a_problem(project):
    project.write("steps/a_step.py", good("a"))
    (project.root / "steps/gone_step.py").symlink_to("nowhere.py")
    found = project.discover()
    assert [step.name for step in found.steps] == ["a"]
    assert found.problems[0].file == "steps/gone_step.py"


def test_unknown_keys_are_warned_of_with_their_line_and_the_step_runs(project):
    text = good("a").replace('"x"]}', '"x"],\n  "infrastructure": {"queue": {\n    "retries": 1}}}')
    project.write("steps/a_step.py", text)
    found = project.discover()
    assert [step.name for step in found.steps] == ["a"]
    (problem,) = found.problems
    assert (problem.severity, problem.line) == ("warning", 4)


def test_without_node_its_files_are_listed_and_the_rest_runs(project, monkeypatch):
    monkeypatch.setattr(node, "find_node", lambda: None)
    project.write("steps/a_step.py", good("a"))
    project.write("steps/b.step.ts", "export const config = {}")
    project.write("steps/c_stream.js", "exports.config = {}")
    found = project.discover()
    assert [step.name for step in found.steps] == ["a"]
    assert [p.file for p in found.problems] == ["steps/b.step.ts", "steps/c_stream.js"]
    for problem in found.problems:
        assert "nodejs.org" in problem.fix
        assert "motia-celery[node]" in problem.fix


def test_a_noop_needs_no_handler(project):
    project.write("steps/a_step.py", 'config = {"type": "noop", "name": "a"}')
    assert project.discover().problems == ()


def test_ctrl_c_while_files_are_read_stops_it(project):
    project.write("steps/a_step.py", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        project.discover()


async def test_the_access_rule_of_a_stream_can_be_asked(project):
    project.write(
        "steps/chat.stream.py",
        """
        config = {
            "name": "chat",
            "schema": {},
            "canAccess": lambda subscription, auth: subscription["groupId"] == auth,
        }
        """,
    )
    found = project.discover()
    assert found.streams[0].has_access_rule
    assert await project.host.can_access("chat", {"groupId": "g"}, "g") is True
    assert await project.host.can_access("chat", {"groupId": "g"}, "h") is False


def test_an_access_rule_that_is_no_function_is_a_problem_with_its_line(project):
    project.write(
        "steps/chat_stream.py",
        """
        config = {
            "name": "chat",
            "canAccess": "admins",
        }
        """,
    )
    found = project.discover()
    (problem,) = found.problems
    assert (problem.what, problem.line) == ("canAccess is no function but str", 4)
    assert found.streams[0].has_access_rule


def test_hooks_of_a_stream_are_found_and_must_be_functions(project):
    project.write(
        "steps/chat_stream.py",
        """
        config = {
            "name": "chat",
            "onJoin": "admins",
            "on_leave": print,
        }
        """,
    )
    found = project.discover()
    (problem,) = found.problems
    assert (problem.what, problem.line) == ("onJoin is no function but str", 4)
    assert "nobody may join" in problem.fix
    assert found.streams[0].hooks == ("onJoin", "onLeave")
