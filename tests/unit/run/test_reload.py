"""Reload: which processes a changed file touches."""

from __future__ import annotations

from pathlib import Path

import pytest
from watchfiles import Change

from motia_celery.model.reading import read_step
from motia_celery.plan import compile_plan
from motia_celery.plan.describe import describe
from motia_celery.run.reload import ROLES, SourceFilter, lost, needed, touched

API = {"type": "api", "name": "api", "method": "GET", "path": "/a"}
EVENT = {"type": "event", "name": "event", "subscribes": ["x"]}
CRON = {"type": "cron", "name": "cron", "cron": "@daily"}
NOOP = {"type": "noop", "name": "noop"}


def plan_of(*configs):
    steps = [
        read_step(c, file=f"steps/{c['type']}_step.py", path=f"/app/{c['type']}")[0]
        for c in configs
    ]
    return describe(compile_plan(prefix="m", timezone="UTC", steps=steps))


ALL = plan_of(API, EVENT, CRON, NOOP)
EVERY = frozenset(ROLES)


@pytest.mark.parametrize(
    ("file", "roles"),
    [
        ("steps/api_step.py", {"web"}),
        ("steps/event_step.py", {"worker"}),
        ("steps/cron_step.py", {"worker"}),
        ("steps/noop_step.py", set()),
        ("steps/services/bank.py", {"web", "worker"}),
        ("lib/money.py", {"web", "worker"}),
        ("motia.config.ts", {"web", "worker"}),
        (".env", EVERY),
        ("config/default.toml", EVERY),
    ],
)
def test_a_file_touches_the_processes_that_run_it(file, roles):
    assert touched([file], ALL, ALL) == roles


def test_the_config_file_is_around_all_steps_though_it_has_routes_of_its_own():
    route, _ = read_step(API, file="motia.config.ts", path="/app/motia.config.ts#GET /a")
    plan = describe(compile_plan(prefix="m", timezone="UTC", steps=[route]))
    assert touched(["motia.config.ts"], plan, plan) == {"web", "worker"}


def test_several_files_touch_all_of_theirs():
    files = ["steps/api_step.py", "steps/event_step.py"]
    assert touched(files, ALL, ALL) == {"web", "worker"}


def test_a_changed_route_touches_the_web_process_alone():
    after = plan_of({**API, "path": "/b"}, EVENT, CRON, NOOP)
    assert touched(["steps/api_step.py"], ALL, after) == {"web"}


def test_a_changed_queue_touches_everyone_who_publishes():
    after = plan_of(API, {**EVENT, "subscribes": ["y"]}, CRON, NOOP)
    assert touched(["steps/event_step.py"], ALL, after) == EVERY


def test_a_changed_schedule_touches_beat_and_the_worker():
    after = plan_of(API, EVENT, {**CRON, "cron": "@hourly"}, NOOP)
    assert touched(["steps/cron_step.py"], ALL, after) == {"worker", "beat"}


def test_a_step_that_was_removed_or_is_new_touches_what_ran_or_runs_it():
    without = plan_of(EVENT, CRON, NOOP)
    assert touched(["steps/api_step.py"], ALL, without) == {"web"}
    assert touched(["steps/api_step.py"], without, ALL) == {"web"}


@pytest.mark.parametrize(
    ("path", "matters"),
    [
        ("steps/a_step.py", True),
        ("steps/build/a_step.py", True),
        ("config/default.toml", True),
        (".env", True),
        ("lib/data.json", True),
        ("steps/a.step.ts", True),
        ("types.d.ts", False),
        ("notes.txt", False),
        (".git/x.py", False),
        (".motia/x.json", False),
        (".venv/lib/x.py", False),
        ("steps/__pycache__/x.py", False),
        ("node_modules/x/y.js", False),
        ("dist/x.js", False),
        ("build/lib/x.py", False),
    ],
)
def test_only_files_that_a_step_may_depend_on_matter(path, matters):
    assert SourceFilter(Path("/app"))(Change.modified, f"/app/{path}") is matters


def test_a_file_outside_the_project_does_not_matter():
    assert SourceFilter(Path("/app"))(Change.modified, "/else/a_step.py") is False


def test_only_processes_with_something_to_do_are_needed() -> None:
    """An app of routes alone has no worker, which would have no queue to serve."""
    plan = {"queues": [], "schedules": []}

    assert needed(plan) == ("web",)
    assert needed({**plan, "queues": ["q"]}) == ("web", "worker")
    assert needed({"queues": ["q"], "schedules": ["s"]}) == ("web", "worker", "beat")


def _with_error(plan, file="steps/api_step.py"):
    problem = {"severity": "error", "file": file, "line": 1, "what": "syntax error", "fix": ""}
    return {**plan, "problems": [problem]}


def test_a_step_that_runs_and_is_saved_half_written_is_lost(tmp_path: Path) -> None:
    """Not one whose file is gone, whose config was taken out, or that could never be loaded."""
    (tmp_path / "steps").mkdir()
    for kind in ("api", "event"):
        (tmp_path / f"steps/{kind}_step.py").touch()
    without = plan_of(EVENT, CRON, NOOP)
    assert lost(ALL, _with_error(without), tmp_path) == ["steps/api_step.py"]
    assert lost(ALL, without, tmp_path) == []
    assert lost(_with_error(ALL), _with_error(without), tmp_path) == []
    assert lost(without, _with_error(without), tmp_path) == []
    assert lost(ALL, _with_error(plan_of(API, EVENT, NOOP)), tmp_path) == []
