"""The cache of translated files keeps what is used, and only that."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from integration.apps import wait_until
from integration.test_node_host import App

import motia_celery.runtime.node as node
from motia_celery.runtime.node import find_node

CACHE = Path(node.__file__).parent / "node" / "src" / "cache.mjs"
DAY = 24 * 60 * 60
STEP = "export const config = {type: 'event', name: 'a', subscribes: ['x']};\n"
HANDLER = "export const handler = () => 1;\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / ".motia" / "cache" / "node"
    made.mkdir(parents=True)
    return made


def entry(folder: Path, name: str, days: float, size: int = 10) -> Path:
    file = folder / name
    file.write_text("x" * size)
    age(file, days)
    return file


def age(file: Path, days: float) -> None:
    then = time.time() - days * DAY
    os.utime(file, (then, then))


def prune(folder: Path, kept: str = "undefined") -> subprocess.Popen[bytes]:
    code = f"(await import({CACHE.as_uri()!r})).prune({str(folder)!r}, {kept})"
    return subprocess.Popen([find_node() or "node", "--input-type=module", "-e", code])


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if file.name != "pruned")


def test_what_was_not_used_for_a_month_goes(folder: Path) -> None:
    for days in (1, 29, 31, 400):
        entry(folder, f"d{days}", days)
    assert prune(folder).wait(60) == 0
    assert names(folder) == ["d1", "d29"]


def test_the_oldest_of_too_much_go(folder: Path) -> None:
    for days in (1, 2, 3, 4):
        entry(folder, f"d{days}", days, size=400)
    assert prune(folder, "{ unusedFor: Infinity, bytes: 1000 }").wait(60) == 0
    assert names(folder) == ["d1", "d2"]


def test_it_is_looked_through_once_a_day(folder: Path) -> None:
    assert prune(folder).wait(60) == 0
    entry(folder, "old", 31)
    assert prune(folder).wait(60) == 0
    assert names(folder) == ["old"]
    age(folder / "pruned", 1.1)
    assert prune(folder).wait(60) == 0
    assert names(folder) == []


def test_several_processes_at_once(folder: Path) -> None:
    for number in range(300):
        entry(folder, f"old{number}", 31)
        entry(folder, f"new{number}", 1)
    processes = [prune(folder) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0] * 4
    assert len(names(folder)) == 300


async def test_what_is_used_stays_and_the_rest_goes_while_the_app_runs(
    tmp_path: Path, folder: Path
) -> None:
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "a.step.ts").write_text(STEP + HANDLER)
    App(tmp_path)
    (used,) = folder.iterdir()
    age(used, 20)
    old = entry(folder, "old", 31)
    app = App(tmp_path)
    assert time.time() - used.stat().st_mtime < DAY
    await app.run("a", {})
    wait_until(lambda: not old.exists(), "the old entry to go", 60)
    assert used.exists()
    await app.node.aclose()
