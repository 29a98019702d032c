"""Where the nodes of the diagram are drawn, kept in the project's ``motia-workbench.json``.

The file is Motia's: a list of flows, each with positions by file. What is not understood of it
stays as it is.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from motia_celery.errors import ConfigError
from motia_celery.workbench.shapes.app import Position

FILE = "motia-workbench.json"
_LARGEST_BYTES = 4 * 1024 * 1024
_writing = threading.Lock()


def read_positions(root: Path) -> dict[str, dict[str, Position]]:
    """The positions by flow and file; none where the file is missing or can not be read."""
    try:
        flows = _flows(root)
    except ConfigError:
        return {}
    return {str(flow.get("id")): _positions(flow.get("config")) for flow in flows}


def write_positions(root: Path, flow: str, positions: Mapping[str, Position]) -> None:
    """Keeps the positions, by file, of a flow; those of other files stay.

    Raises:
        ConfigError: the file can not be read or written.
    """
    with _writing:
        flows = _flows(root)
        entry = next((one for one in flows if one.get("id") == flow), None)
        if entry is None:
            entry = {"id": flow, "config": {}}
            flows.append(entry)
        held = entry["config"] if isinstance(entry.get("config"), dict) else {}
        entry["config"] = {**held, **{file: _motia(p) for file, p in positions.items()}}
        _write(root, flows)


def write_flow(root: Path, flow: str, entry: Mapping[str, Any]) -> None:
    """Puts an entry as it is in the place of the flow's.

    Raises:
        ConfigError: the file can not be read or written.
    """
    with _writing:
        flows = [one for one in _flows(root) if one.get("id") != flow]
        _write(root, [*flows, dict(entry)])


def _flows(root: Path) -> list[dict[str, Any]]:
    file = root / FILE
    try:
        if file.stat().st_size > _LARGEST_BYTES:
            raise _unusable("it is too large")
        read = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError, RecursionError) as error:
        raise _unusable(str(error)) from error
    if not isinstance(read, list) or not all(isinstance(flow, dict) for flow in read):
        raise _unusable("it is no list of flows")
    return read


def _write(root: Path, flows: list[dict[str, Any]]) -> None:
    file, draft = root / FILE, root / f".{FILE}.{os.getpid()}"
    try:
        draft.write_text(json.dumps(flows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        draft.replace(file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ConfigError(
            f"can not be written ({error.strerror}).",
            FILE,
            "Positions are kept where the project can be written to, on a developer's machine.",
        ) from error


def _unusable(reason: str) -> ConfigError:
    return ConfigError(f"can not be read ({reason}).", FILE, "Correct the file, or delete it.")


def _positions(config: Any) -> dict[str, Position]:
    if not isinstance(config, dict):
        return {}
    return {file: found for file, value in config.items() if (found := _position(value))}


def _position(value: Any) -> Position | None:
    if not isinstance(value, dict):
        return None
    try:
        return Position(
            x=value.get("x"),
            y=value.get("y"),
            source_handle=value.get("sourceHandlePosition"),
            target_handle=value.get("targetHandlePosition"),
        )
    except ValidationError:
        return None


def _motia(position: Position) -> dict[str, Any]:
    handles = {
        "sourceHandlePosition": position.source_handle,
        "targetHandlePosition": position.target_handle,
    }
    given = {name: value for name, value in handles.items() if value is not None}
    return {"x": position.x, "y": position.y, **given}
