"""A Step or stream file, before and after it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from motia_celery.model.step import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file found below ``steps/`` or ``src/``; ``file`` is relative to the project's root."""

    path: Path
    file: str
    kind: Literal["step", "stream"]
    language: Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a loaded file defines: its raw config, and the callables that a run uses."""

    config: Any
    handler: Callable[..., Any] | None = None
    middleware: tuple[Callable[..., Any], ...] = ()
    can_access: Callable[..., Any] | None = None
