"""A Step or stream file, before and after it is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from motia_celery.model.step import Language
from motia_celery.runtime.remote import RemoteHandler
from motia_celery.runtime.wanted import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file found below ``steps/`` or ``src/``, or the project's config file.

    ``file`` is relative to the project's root.
    """

    path: Path
    file: str
    kind: Literal["step", "stream", "config"]
    language: Language


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerFunctions:
    """What the file defines for one trigger of a list.

    ``condition`` is whatever stands there; one that is no function never holds. ``input`` is the
    schema of its events, which may be a model.
    """

    kind: str
    input: Any = None
    condition: Any = None
    middleware: tuple[Callable[..., Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a loaded file defines: its raw config, and the callables that a run uses.

    ``wanted`` is what the handler is annotated with, where that is a model.
    ``triggers`` are those of a config that lists them.
    ``hooks`` are a stream's ``onJoin`` and ``onLeave``, ``authenticate`` is that of a config file's
    ``streamAuth``, ``project`` what that file says besides. ``warnings`` are fields of the config
    that could not be read, each with the reason.
    """

    config: Any
    handler: Callable[..., Any] | RemoteHandler | None = None
    wanted: Wanted | None = None
    middleware: tuple[Callable[..., Any], ...] = ()
    triggers: tuple[TriggerFunctions, ...] = ()
    can_access: Callable[..., Any] | RemoteHandler | None = None
    hooks: Mapping[str, Any] = field(default_factory=dict)
    authenticate: Any = None
    project: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[tuple[str, str], ...] = ()
