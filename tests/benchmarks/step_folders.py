"""The Steps that are measured, by the name of their folder."""

from __future__ import annotations

import shutil
from pathlib import Path

_STEPS = Path(__file__).parent / "steps"
_TICKS = Path(__file__).parent / "inside" / "bench_ticks.ts"


def copy_steps(name: str, project: Path) -> None:
    """Adds the folder's Steps to a project, those of TypeScript with what they tick by."""
    target = project / "steps"
    shutil.copytree(_STEPS / name, target, dirs_exist_ok=True)
    if any(target.glob("*.step.ts")):
        shutil.copy(_TICKS, target)
