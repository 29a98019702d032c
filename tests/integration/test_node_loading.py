"""Files of TypeScript that do not load: the others do, and nobody waits for long."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from motia_celery.discover import Project, discover
from motia_celery.runtime.node import NodeHost
from motia_celery.runtime.python import PythonHost

GOOD = "export const config = { type: 'noop', name: 'NAME' };\n"
WAITS = "await new Promise(() => setInterval(() => {}, 1000));\n" + GOOD
LOOPS = "for (;;);\n" + GOOD
DIES = "process.kill(process.pid, 'SIGKILL');\n" + GOOD
SLOW = "await new Promise((resolve) => setTimeout(resolve, PAUSE));\n" + GOOD


@pytest.fixture
def read(tmp_path: Any) -> Any:
    def read(patience_seconds: float, /, **files: str) -> Project:
        (tmp_path / "steps").mkdir()
        for name, text in files.items():
            (tmp_path / "steps" / f"{name}.step.ts").write_text(text.replace("NAME", name))
        node = NodeHost(tmp_path, load_patience_seconds=patience_seconds)
        return discover(tmp_path, PythonHost(tmp_path, threads=1), node)

    return read


def problems(project: Project) -> dict[str, tuple[str, str]]:
    return {p.file.split("/")[1].split(".")[0]: (p.what, p.fix) for p in project.problems}


def test_files_that_wait_for_ever_are_left_out(read: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = read(3, waits=WAITS, also=WAITS, good=GOOD)
    assert [step.name for step in found.steps] == ["good"]
    told = problems(found)
    assert sorted(told) == ["also", "waits"]
    for what, fix in told.values():
        assert "still waits for something after 3 s" in what
        assert "in the handler" in fix
    assert "Still loading steps/also.step.ts, steps/waits.step.ts" in caplog.text


def test_files_that_are_busy_for_ever_harm_themselves_alone(read: Any) -> None:
    found = read(4, a=GOOD, b=LOOPS, c=GOOD, d=LOOPS, e=WAITS, f=DIES, g=GOOD)
    assert [step.name for step in found.steps] == ["a", "c", "g"]
    told = problems(found)
    assert sorted(told) == ["b", "d", "e", "f"]
    for name in "bd":
        assert "busy for more than 4 s" in told[name][0]
        assert "loop without an end" in told[name][1]
    assert "still waits" in told["e"][0]
    assert "ends its process (signal 9)" in told["f"][0]


def test_one_file_alone_that_does_not_load(read: Any) -> None:
    found = read(2, alone=LOOPS)
    assert "busy for more than 2 s" in problems(found)["alone"][0]


def test_a_load_that_is_slow_as_a_whole_is_not_cut(read: Any) -> None:
    """Nine files, each 0.8 s after the one before it, with a patience of five seconds."""
    slow = {f"s{n}": SLOW.replace("PAUSE", str(800 * n)) for n in range(9)}
    found = read(5, **slow)
    assert problems(found) == {}
    assert len(found.steps) == 9


def test_reading_many_files_for_one_step_is_a_sign_of_life(read: Any, tmp_path: Any) -> None:
    """A Step whose imports come in one after another, for longer than the patience."""
    (tmp_path / "lib").mkdir()
    for n in range(9):
        following = f"await import('./part{n + 1}');\n" if n < 8 else ""
        pause = SLOW.replace("PAUSE", "800").replace(GOOD, "export {};\n")
        (tmp_path / "lib" / f"part{n}.ts").write_text(pause + following)
    found = read(5, deep="import '../lib/part0';\n" + GOOD, good=GOOD)
    assert problems(found) == {}
    assert len(found.steps) == 2
