"""The compiler is content with Motia's projects, and finds what is wrong in them.

The projects have no package ``motia``: its types come from ``motia-celery generate types``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from acceptance.test_languages import ROUTE, WORDS

from motia_celery.run.typings import write_types
from motia_celery.runtime.node import find_node

REPOSITORY = Path(__file__).parents[2]
TYPES = REPOSITORY / "tests" / "types"
OPTIONS = {
    "target": "ES2022",
    "module": "ESNext",
    "moduleResolution": "bundler",
    "strict": True,
    "noEmit": True,
    "allowJs": True,
    "types": ["node"],
}
NODE_OPTIONS = {"module": "NodeNext", "moduleResolution": "NodeNext"}

Compile = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(tmp_path: Path, npm_packages: Path) -> Path:
    (tmp_path / "node_modules").mkdir()
    for name in ("zod", "zod3", "@types"):
        (tmp_path / "node_modules" / name).symlink_to(npm_packages / name)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


@pytest.fixture
def compile_(project: Path, npm_packages: Path) -> Compile:
    def compile_(
        compiler: str = "typescript", **options: object
    ) -> subprocess.CompletedProcess[str]:
        config = {"compilerOptions": {**OPTIONS, **options}, "include": ["**/*"]}
        (project / "tsconfig.json").write_text(json.dumps(config))
        command = [find_node() or "node", str(npm_packages / compiler / "bin" / "tsc")]
        return subprocess.run(
            command, cwd=project, capture_output=True, text=True, timeout=110, check=False
        )

    return compile_


def copy(project: Path, *names: str) -> None:
    for name in names:
        shutil.copy(TYPES / name, project)


@pytest.mark.parametrize("compiler", ["typescript", "typescript5"])
def test_every_exported_type_and_what_it_refuses(
    project: Path, compile_: Compile, compiler: str
) -> None:
    """Each line marked ``@ts-expect-error`` is one that the compiler must refuse."""
    copy(project, "accepted.ts")
    write_types(project)
    done = compile_(compiler, skipLibCheck=True)
    assert (done.stdout, done.returncode) == ("", 0)


@pytest.mark.parametrize(
    ("compiler", "options"),
    [("typescript", {}), ("typescript5", NODE_OPTIONS)],
    ids=["typescript bundler", "typescript5 node"],
)
def test_a_project_with_its_own_types(
    project: Path, compile_: Compile, compiler: str, options: dict[str, str]
) -> None:
    """Handlers and streams of a ``types.d.ts`` are known by their names, in JavaScript too."""
    copy(project, "generated.ts", "plain.js", "types.d.ts")
    write_types(project)
    done = compile_(compiler, skipLibCheck=compiler != "typescript", **options)
    assert (done.stdout, done.returncode) == ("", 0)


def test_the_example_and_a_project_without_types_of_its_own(
    project: Path, compile_: Compile
) -> None:
    shutil.copytree(REPOSITORY / "steps", project / "steps")
    (project / "lib").mkdir()
    (project / "lib" / "words.ts").write_text(WORDS)
    (project / "steps" / "start.step.ts").write_text(ROUTE)
    write_types(project)
    done = compile_(skipLibCheck=True)
    assert (done.stdout, done.returncode) == ("", 0)


def test_without_the_command_the_module_is_not_found(project: Path, compile_: Compile) -> None:
    copy(project, "generated.ts")
    done = compile_(skipLibCheck=True)
    assert "Cannot find module 'motia'" in done.stdout


def test_the_command_writes_them(project: Path) -> None:
    command = [sys.executable, "-m", "motia_celery", "-C", str(project), "generate", "types"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("Wrote motia-env.d.ts.")
    assert "declare module 'motia'" in (project / "motia-env.d.ts").read_text()
    (project / "node_modules" / "motia").mkdir()
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "is installed here" in done.stdout
