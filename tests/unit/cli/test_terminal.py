"""How commands speak to a person."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from motia_celery.cli import terminal


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_bar_is_for_terminals_alone(is_terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It knows how many are done, and of how many where that is told."""
    written = StringIO()
    monkeypatch.setattr(terminal, "err", Console(file=written, force_terminal=is_terminal))
    with terminal.progress("Exporting") as tell:
        tell(1, None)
        tell(2, 3)
    assert ("Exporting" in written.getvalue() and "2/3" in written.getvalue()) is is_terminal
