from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

Write = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> Write:
    """``project(name="source", …)`` writes Step files, and gives the project's folder."""

    def write(**files: str) -> Path:
        (tmp_path / "steps").mkdir(exist_ok=True)
        for name, source in files.items():
            (tmp_path / "steps" / f"{name}_step.py").write_text(dedent(source))
        return tmp_path

    return write
