"""Which files beside a Step draw it in Motia's own Workbench."""

from __future__ import annotations

from pathlib import Path

import pytest

from motia_celery.model.step import Step
from motia_celery.workbench.components import component_problems, find_components


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


def test_a_node_of_motias_parts_is_a_warning(tmp_path: Path) -> None:
    """It can not be drawn; one that needs none of them says nothing."""
    (tmp_path / "a.step.tsx").write_text(
        "import { EventNode } from 'motia/workbench'\nexport const Node = () => <EventNode />"
    )
    (tmp_path / "b.step.tsx").write_text("export const Node = () => <div />")
    steps = [Step(name=n, file=f"{n}.step.ts", language="typescript") for n in ("a", "b")]
    (problem,) = component_problems(tmp_path, steps)
    assert (problem.file, problem.severity) == ("a.step.tsx", "warning")
