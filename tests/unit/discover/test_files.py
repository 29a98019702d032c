"""Which files are found, and in which order."""

from __future__ import annotations

import pytest

from motia_celery.discover.files import find_sources


def found(folder):
    return [source.file for source in find_sources(folder.root)]


def test_steps_come_before_src_and_dotted_names_before_underscored_ones(project):
    files = [
        "steps/b.step.py",
        "steps/z/a.step.ts",
        "steps/a_step.py",
        "steps/c_stream.py",
        "steps/z/0_step.js",
        "src/y.step.js",
        "src/z.stream.rb",
        "src/b_step.py",
        "src/c_step.rb",
    ]
    for file in reversed(files):
        project.write(file)
    assert found(project) == files


@pytest.mark.parametrize(
    "file",
    [
        "steps/node_modules/pkg/x.step.js",
        "steps/__pycache__/x_step.py",
        "steps/.hidden/x_step.py",
        "steps/.x_step.py",
        "steps/x.step.test.ts",
        "steps/x.test.step.ts",
        "steps/x.step.tsx",
        "steps/x_step.jsx",
        "steps/x_step.pyc",
        "steps/x_steps.py",
        "steps/xstep.py",
        "steps/_step.py",
        "steps/step.py",
        "steps/x_step.py\n",
        "lib/x_step.py",
        "x_step.py",
    ],
)
def test_other_files_are_never_steps(project, file):
    project.write(file)
    assert found(project) == []


def test_kind_and_language_come_from_the_name(project):
    for file in ("a_step.py", "b.step.ts", "c_stream.js", "d.stream.py"):
        project.write(f"steps/{file}")
    sources = {
        s.file.removeprefix("steps/"): (s.kind, s.language) for s in find_sources(project.root)
    }
    assert sources == {
        "a_step.py": ("step", "python"),
        "b.step.ts": ("step", "typescript"),
        "c_stream.js": ("stream", "javascript"),
        "d.stream.py": ("stream", "python"),
    }


def test_a_project_without_folders_has_no_steps(project):
    assert found(project) == []
