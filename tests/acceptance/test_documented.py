"""What the pages about testing and types show runs as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from acceptance.test_plugin import INI, run_pytest

from motia_celery.testing import StepTester

DOCS = Path(__file__).parents[2] / "docs"

#: A block that names its file in its first line.
_BLOCK = re.compile(r"^```python\n# (\S+\.py)\n(.*?)^```$", re.M | re.S)


def write_examples(page: str, folder: Path) -> list[str]:
    """Writes the page's files, and gives their names."""
    blocks = _BLOCK.findall((DOCS / page).read_text())
    for name, source in blocks:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
    (folder / "pytest.ini").write_text(INI)
    return [name for name, _ in blocks]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    return tmp_path / "app"


def test_the_examples_of_testing_pass(folder: Path) -> None:
    names = write_examples("testing.md", folder)
    assert {"tests/test_handlers.py", "tests/test_orders.py", "tests/test_streams.py"} < set(names)
    assert "6 passed" in run_pytest(folder)


async def test_the_examples_of_types_run(folder: Path) -> None:
    write_examples("types.md", folder)
    async with StepTester(folder) as app:
        assert [problem.what for problem in app.plan.problems if "emits" not in problem.what] == []
        answer = await app.client.post("/orders", json={"id": "1", "amount": 5})
        assert (answer.status_code, answer.json()) == (202, {"id": "1", "amount": 5})
        assert (await app.client.post("/orders", json={"id": "1"})).status_code == 400
        await app.tick("nightly")
        await app.settle()
        assert await app.state.get("charged", "1") == 5
        assert (await app.run("nightly")).status == "completed"
        await app.emit("order.placed", {"amount": "many"})
        await app.settle()
        assert [letter.reason for letter in await app.dead_letters()] == ["misfit"]


def test_the_examples_of_types_are_well_typed(folder: Path) -> None:
    names = write_examples("types.md", folder)
    (folder / "mypy.ini").write_text("[mypy]\nstrict = true\nfollow_imports = silent\n")
    for name in names:  # each is a module of its own
        done = subprocess.run(
            [sys.executable, "-m", "mypy", name],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
