"""The benchmarks work. How fast anything is fails nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(1200)
def test_every_workload_runs_in_short(tmp_path: Path) -> None:
    """A contender that breaks fails it; the peers are installed where they are missing."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--short", "--output", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1100,
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}{done.stderr[-6000:]}"
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["results"]
    for contender in (c for result in report["results"] for c in result["contenders"]):
        assert all(value >= 0 for value in contender["samples"][0].values()), contender
    ElementTree.fromstring((tmp_path / "report.svg").read_text())
