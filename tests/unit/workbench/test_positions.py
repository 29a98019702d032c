"""Positions are kept in Motia's own file, of which nothing else is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from motia_celery.errors import ConfigError
from motia_celery.workbench.positions import FILE, read_positions, write_flow, write_positions
from motia_celery.workbench.shapes.app import Position

MOTIAS = [
    {"id": "orders", "config": {"steps/a.step.ts": {"x": 1, "y": 2.5, "more": True}}, "own": 1},
    {
        "id": "else",
        "config": {
            "src/b.step.ts": {
                "x": 0,
                "y": 0,
                "sourceHandlePosition": "right",
                "targetHandlePosition": "left",
            }
        },
    },
]


def write(root: Path, content: Any) -> None:
    (root / FILE).write_text(content if isinstance(content, str) else json.dumps(content))


def read(root: Path) -> Any:
    return json.loads((root / FILE).read_text())


def test_motias_file_is_read(tmp_path: Path) -> None:
    write(tmp_path, MOTIAS)
    assert read_positions(tmp_path) == {
        "orders": {"steps/a.step.ts": Position(x=1, y=2.5)},
        "else": {"src/b.step.ts": Position(x=0, y=0, source_handle="right", target_handle="left")},
    }


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    place = Position(x=-3.25, y=1e6, source_handle="bottom", target_handle="top")
    write_positions(tmp_path, "new", {"a.py": place})
    assert read_positions(tmp_path) == {"new": {"a.py": place}}


def test_what_is_not_named_stays(tmp_path: Path) -> None:
    write(tmp_path, MOTIAS)
    write_positions(tmp_path, "orders", {"steps/c.step.ts": Position(x=5, y=6)})
    first, second = read(tmp_path)
    assert second == MOTIAS[1]
    assert first["own"] == 1
    assert first["config"]["steps/a.step.ts"] == {"x": 1, "y": 2.5, "more": True}
    assert first["config"]["steps/c.step.ts"] == {"x": 5, "y": 6}


def test_a_whole_entry_takes_the_place_of_its_flow(tmp_path: Path) -> None:
    write(tmp_path, MOTIAS)
    write_flow(tmp_path, "orders", {"id": "orders", "config": {}})
    assert read(tmp_path) == [MOTIAS[1], {"id": "orders", "config": {}}]


@pytest.mark.parametrize("content", ["", "{", "{}", "[1]", "null", "[" * 100_000, "\ud800x"])
def test_a_broken_file_is_not_read_and_never_overwritten(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_bytes(content.encode("utf-8", "surrogatepass"))
    assert read_positions(tmp_path) == {}
    with pytest.raises(ConfigError):
        write_positions(tmp_path, "f", {"a.py": Position(x=1, y=1)})
    assert (tmp_path / FILE).read_bytes() == content.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("place", [None, {}, {"x": "1px", "y": 2}, {"x": 1e999, "y": 1}, []])
def test_a_position_that_is_none_is_left_out(tmp_path: Path, place: Any) -> None:
    write(tmp_path, [{"id": "f", "config": {"a.py": place, "b.py": {"x": 1, "y": 2}}}])
    assert read_positions(tmp_path) == {"f": {"b.py": Position(x=1, y=2)}}


def test_a_folder_that_can_not_be_written_to_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can not be written"):
        write_positions(tmp_path / "gone", "f", {"a.py": Position(x=1, y=2)})
