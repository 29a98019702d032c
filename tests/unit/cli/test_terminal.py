"""How commands speak to a person."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from motia_celery.cli import app, terminal


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_bar_is_for_terminals_alone(is_terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It knows how many are done, and of how many where that is told."""
    written = StringIO()
    monkeypatch.setattr(terminal, "err", Console(file=written, force_terminal=is_terminal))
    with terminal.progress("Exporting") as tell:
        tell(1, None)
        tell(2, 3)
    assert ("Exporting" in written.getvalue() and "2/3" in written.getvalue()) is is_terminal


@pytest.mark.parametrize("command", ["check", "plan"])
def test_a_folder_without_steps_is_told(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On standard error: what is read by programs stays as it is."""
    monkeypatch.chdir(tmp_path)
    for options in ([], ["--json"]):
        done = CliRunner().invoke(app, [command, *options])
        assert done.exit_code == 0
        assert "no Step below steps/ or src/" in done.stderr
        assert "no Step" not in done.stdout
