"""The line of each field of a config."""

from __future__ import annotations

from motia_celery.discover.lines import config_lines, located
from motia_celery.model.problem import Problem

SOURCE = """\
from x import y
config = {
    "name": "a",
    "emits": [
        "b",
        {"topic": "c",
         "lable": "d"},
    ],
    **y,
}
"""


def test_each_field_has_its_own_line():
    assert config_lines(SOURCE) == {
        "": 2,
        "name": 3,
        "emits": 4,
        "emits.0": 5,
        "emits.1": 6,
        "emits.1.topic": 6,
        "emits.1.lable": 7,
    }


def test_typed_objects_and_annotations_are_read_too():
    assert config_lines("config: Any = EventStep(\n  name='a',\n  subscribes=['x'])") == {
        "": 1,
        "name": 2,
        "subscribes": 3,
        "subscribes.0": 3,
    }


def test_a_config_made_elsewhere_has_no_lines():
    assert config_lines("from other import config") == {}
    assert config_lines("def broken(") == {}


def test_a_problem_gets_the_nearest_line_and_keeps_its_own(tmp_path):
    path = tmp_path / "a_step.py"
    path.write_text(SOURCE)
    fields = {"emits.1.lable": 7, "emits.1.label": 6, "queue.retries": 2, "": 2}
    problems = tuple(Problem(what="w", fix="f", field=field) for field in fields)
    assert [p.line for p in located(problems, path)] == [*fields.values()]
    assert located((Problem(what="w", fix="f", line=1),), path)[0].line == 1
