"""Which files beside a Step draw it, and when they are translated for the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from motia_celery.model.step import Step
from motia_celery.runtime.drawing import Drawing, DrawingFault
from motia_celery.workbench import component_files
from motia_celery.workbench.component_files import (
    component_problems,
    drawing_problems,
    find_components,
)
from motia_celery.workbench.drawings import Drawings


@pytest.mark.parametrize(
    ("source", "is_one"),
    [
        ("export const Node = () => <div />", True),
        ("import { EventNode } from 'motia/workbench'\nexport default function () {}", True),
        ("export function Node(props) {}", True),
        ("const Node = 1\nexport { Node }", True),
        ("const mine = 1\nexport { mine as default }", True),
        ("export const Other = 1", False),
        ("// export const Node", False),
        ("export const NodeList = 1", False),
        ("", False),
    ],
)
def test_a_file_counts_that_exports_a_node(tmp_path: Path, source: str, is_one: bool) -> None:
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "a.step.tsx").write_text(source)
    step = Step(name="a", file="steps/a.step.ts", language="typescript")
    found = {"a": "steps/a.step.tsx"} if is_one else {}
    assert find_components(tmp_path, [step]) == found


def test_it_has_the_steps_own_name_in_each_language(tmp_path: Path) -> None:
    (tmp_path / "b_step.jsx").write_text("export const Node = 1")
    (tmp_path / "c.tsx").write_text("export const Node = 1")
    steps = [Step(name=n, file=f"{n}_step.py", language="python") for n in ("b", "c")]
    assert find_components(tmp_path, steps) == {"b": "b_step.jsx"}


def test_only_without_node_there_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_step.tsx").write_text("export const Node = () => <div />")
    steps = [Step(name=name, file=f"{name}_step.py", language="python") for name in ("a", "b")]
    assert not list(component_problems(tmp_path, steps))
    monkeypatch.setattr(component_files, "find_node", lambda: None)
    (problem,) = component_problems(tmp_path, steps)
    assert (problem.file, problem.severity) == ("a_step.tsx", "warning")


def test_what_can_not_be_drawn_is_a_warning_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a_step.tsx").write_text("export const Node = () => <div />")
    (tmp_path / "b_step.tsx").write_text("\nimport x from 'gone'\nexport const Node = () => x")
    steps = [Step(name=name, file=f"{name}_step.py", language="python") for name in ("a", "b")]
    (problem,) = drawing_problems(tmp_path, steps)
    assert (problem.file, problem.line, problem.severity) == ("b_step.tsx", 2, "warning")
    assert "imports 'gone', which was not found" in problem.what


def test_a_file_is_translated_again_where_it_or_what_it_imports_changed(tmp_path: Path) -> None:
    (tmp_path / "a_step.jsx").write_text("import { b } from './b'\nexport const Node = () => b")
    (tmp_path / "b.js").write_text("export const b = 'one'")
    drawings = Drawings()
    first = drawings.get(tmp_path, ["a_step.jsx"])["a_step.jsx"]
    assert drawings.get(tmp_path, ["a_step.jsx"])["a_step.jsx"] is first
    (tmp_path / "b.js").write_text("export const b = 'another'")
    second = drawings.get(tmp_path, ["a_step.jsx"])["a_step.jsx"]
    assert isinstance(first, Drawing) and isinstance(second, Drawing)
    assert "another" in second.code and second.version != first.version


def test_what_could_not_be_drawn_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "a_step.jsx").write_text("import { b } from './b'\nexport const Node = () => b")
    drawings = Drawings()
    assert isinstance(drawings.get(tmp_path, ["a_step.jsx"])["a_step.jsx"], DrawingFault)
    (tmp_path / "b.js").write_text("export const b = 'one'")
    assert isinstance(drawings.get(tmp_path, ["a_step.jsx"])["a_step.jsx"], Drawing)
