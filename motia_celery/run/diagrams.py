"""Diagrams: each flow as a file of Mermaid, as Motia's ``dev --mermaid`` writes them."""

from __future__ import annotations

import re
from pathlib import Path

from motia_celery.plan import Plan
from motia_celery.plan.describe import mermaid

#: The variable by which ``dev`` asks the process that reads the Steps for the files.
DRAWN = "MOTIA_DEV_MERMAID"

_FOLDER = ".mermaid"
_NOT_IN_NAMES = re.compile(r"[^\w.-]+")


def write_diagrams(root: Path, plan: Plan) -> tuple[Path, ...]:
    """Writes ``.mermaid/<flow>.mmd`` for each flow, and gives the files."""
    folder = root / _FOLDER
    folder.mkdir(exist_ok=True)
    files = []
    for flow in plan.flows:
        file = folder / f"{_NOT_IN_NAMES.sub('-', flow.name)}.mmd"
        members = tuple(step for step in plan.steps if step.name in set(flow.steps))
        _write(file, mermaid(members))
        files.append(file)
    return tuple(files)


def _write(file: Path, text: str) -> None:
    # One that was saved anew would be drawn anew by whoever shows it.
    if not file.is_file() or file.read_text("utf-8") != text:
        file.write_text(text, "utf-8")
