"""``motia-celery check`` and ``plan`` on whole projects, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2]

GOOD = {
    "steps/create.step.py": """
        from pydantic import BaseModel
        from .services.shop import NAME

        class Order(BaseModel):
            item: str

        config = {
            "type": "api", "name": "create", "method": "POST", "path": "/orders/:id",
            "bodySchema": Order, "responseSchema": {200: Order}, "emits": ["order.created"],
            "flows": ["orders"],
        }

        async def handler(req, context): ...
    """,
    "steps/services/shop.py": "NAME = 'shop'",
    "src/charge_step.py": """
        from motia_celery import EventStep

        config = EventStep(name="charge", subscribes=["order.*"], flows=["orders"])

        def handler(order): ...
    """,
    "src/report_step.py": """
        config = {"type": "cron", "name": "report", "cron": "*/30 0 9 * * *"}

        async def handler(context): ...
    """,
    "steps/chat_stream.py": "config = {'name': 'chat', 'schema': {'type': 'object'}}",
}

BAD = {
    "steps/syntax_step.py": "def handler(:",
    "steps/import_step.py": "import no_such_package",
    "steps/variable_step.py": "import os\nos.environ['NO_SUCH_VARIABLE']",
    "steps/exit_step.py": "raise SystemExit(1)",
    "steps/empty_step.py": "",
    "steps/handlerless_step.py": 'config = {"type": "cron", "name": "h", "cron": "@daily"}',
    "steps/list_step.py": "config = ['cron']",
    "steps/cron_step.py": 'config = {"type": "cron", "name": "c", "cron": "9 9"}\nhandler = print',
    "steps/topic_step.py": 'config = {"type": "event", "name": "t", "subscribes": ["a*"]}\n'
    "handler = print",
    "steps/method_step.py": 'config = {"type": "api", "name": "m", "path": "/m", "method": "GO"}\n'
    "handler = print",
    "steps/node.step.ts": "export const config = {}",
}


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))


def run(root, *arguments, **environ):
    """The command as a user runs it, without any server."""
    return subprocess.run(
        [sys.executable, "-m", "motia_celery", *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(PACKAGE), "COLUMNS": "200", **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )


def problems(root):
    result = run(root, "check", "--json")
    assert result.returncode == 1, result.stderr
    return json.loads(result.stdout)


def test_a_good_project_has_no_problems(tmp_path):
    write(tmp_path, GOOD)
    result = run(tmp_path, "check")
    assert (result.returncode, result.stdout, result.stderr) == (0, "No problems in 3 Steps.\n", "")


def test_bad_files_beside_good_ones_are_listed_and_the_rest_is_planned(tmp_path):
    """Each with its place, what is wrong, and what to do; nothing else on the way."""
    write(tmp_path, GOOD | BAD)
    found = problems(tmp_path)
    assert {problem["file"] for problem in found} == {*BAD}
    assert len(found) == len(BAD)
    for problem in found:
        assert problem["severity"] == "error"
        assert problem["what"]
        assert problem["fix"]
    lines = {problem["file"]: problem["line"] for problem in found}
    assert lines["steps/syntax_step.py"] == lines["steps/handlerless_step.py"] == 1
    assert lines["steps/variable_step.py"] == 2
    plan = json.loads(run(tmp_path, "plan", "--json").stdout)
    assert [step["name"] for step in plan["steps"]] == ["create", "charge", "report"]
    assert plan["problems"] == found
    text = run(tmp_path, "check")
    assert text.returncode == 1
    assert "steps/variable_step.py:2  can not be loaded: KeyError" in text.stdout
    assert "→ Set the environment variable NO_SUCH_VARIABLE" in text.stdout
    assert f"{len(BAD)} problems in 3 Steps." in text.stdout


ALONE = {
    "unknown key": (
        '{"type": "noop", "name": "x", "colour": "red"}',
        "unknown config key 'colour'",
    ),
    "duplicate name": ('{"type": "noop", "name": "report"}', "the Step name 'report' is taken"),
    "duplicate route": (
        '{"type": "api", "name": "x", "method": "POST", "path": "/orders/:number"}',
        "POST /orders/:",
    ),
    "emit that nobody hears": (
        '{"type": "cron", "name": "x", "cron": "@daily", "emits": ["lost"]}',
        "nobody hears the topic 'lost'",
    ),
}


@pytest.mark.parametrize("name", ALONE)
def test_any_problem_makes_check_exit_with_1(tmp_path, name):
    config, words = ALONE[name]
    write(tmp_path, GOOD | {"steps/x_step.py": f"config = {config}\nhandler = print"})
    (problem,) = problems(tmp_path)
    assert words in problem["what"]
    of_errors = run(tmp_path, "check", "--errors-only")
    assert of_errors.returncode == (problem["severity"] == "error")
    assert words in of_errors.stdout
    assert "\n1 problem in " in of_errors.stdout


def test_two_processes_make_the_same_plan_to_the_byte(tmp_path):
    write(tmp_path, GOOD | BAD)
    plans = [run(tmp_path, "plan", "--json", PYTHONHASHSEED=seed) for seed in ("1", "2")]
    assert plans[0].returncode == 0
    assert plans[0].stdout == plans[1].stdout
    assert json.loads(plans[0].stdout)["prefix"] == "motia"


def test_the_plan_is_printed_as_tables_and_as_a_graph(tmp_path):
    write(tmp_path, GOOD)
    tables = run(tmp_path, "plan")
    assert tables.returncode == 0
    for words in (
        "/orders/:id",
        "motia.q.charge",
        "order.*",
        "*/30 0 9 * * *",
        "src/report_step.py",
    ):
        assert words in tables.stdout
    graph = run(tmp_path, "plan", "--mermaid")
    assert graph.stdout.startswith("flowchart TD\n")
    assert 's0 -->|"order.created"| s1' in graph.stdout


ALONE_STEP = 'config = {"type": "noop", "name": "loud"}'


def test_what_a_step_prints_while_it_is_read_does_not_spoil_the_json(tmp_path):
    write(tmp_path, GOOD | {"steps/loud_step.py": "print('hello')\n" + ALONE_STEP})
    plan = run(tmp_path, "plan", "--json")
    assert json.loads(plan.stdout)["problems"] == []
    assert "hello" in plan.stderr


def test_a_project_elsewhere_and_one_without_steps(tmp_path):
    write(tmp_path / "app", GOOD)
    assert run(tmp_path, "-C", "app", "check").returncode == 0
    empty = run(tmp_path, "check")
    assert (empty.returncode, empty.stdout) == (0, "No problems in 0 Steps.\n")


def test_variables_of_the_env_file_are_there_when_steps_are_read(tmp_path):
    write(tmp_path, {**GOOD, ".env": "NO_SUCH_VARIABLE=yes\n"})
    write(tmp_path, {"steps/variable_step.py": BAD["steps/variable_step.py"] + "\n" + ALONE_STEP})
    assert run(tmp_path, "check").returncode == 0


def test_an_unknown_setting_ends_with_one_clear_line(tmp_path):
    write(tmp_path, GOOD | {"config/default.toml": "prot = 1"})
    result = run(tmp_path, "check")
    assert result.returncode == 1
    assert "config/default.toml: 'prot' is no setting." in result.stderr
    assert "Did you mean 'port'?" in result.stderr
    assert "Traceback" not in result.stderr
