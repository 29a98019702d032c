"""Reload: which processes a change touches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from watchfiles import Change, DefaultFilter

Role = str
#: The processes of an app, in the order in which they are started.
ROLES: tuple[Role, ...] = ("web", "worker", "beat")

_SUFFIXES = frozenset(
    {".py", ".rb", ".json", ".toml", ".env"}
    | {".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx"}
)
#: The project's config file: routes of its plugins are in it, and what is around all Steps.
_CONFIG = ("motia.config.", "motia_config.")
#: Types, which are not executed; commands and editors write them.
_DECLARATIONS = (".d.ts", ".d.mts", ".d.cts")
_SKIPPED = frozenset({"node_modules", "__pycache__"})
#: Skipped in the project's root alone: a folder of Steps may have such a name.
_BUILT = frozenset({"dist", "build"})


class SourceFilter(DefaultFilter):
    """Lets through what a Step may depend on: sources, settings, ``.env``."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = root

    def __call__(self, change: Change, path: str) -> bool:
        """Whether the change matters."""
        if not Path(path).is_relative_to(self._root):
            return False
        relative = Path(path).relative_to(self._root)
        folders = relative.parts[:-1]
        if relative.parts[:1] and relative.parts[0] in _BUILT:
            return False
        if any(part in _SKIPPED or part.startswith(".") for part in folders):
            return False
        if relative.name.endswith(_DECLARATIONS):
            return False
        return relative.name == ".env" or relative.suffix in _SUFFIXES


def needed(plan: Mapping[str, Any]) -> tuple[Role, ...]:
    """The processes that have something to do."""
    wanted = {"web": True, "worker": plan["queues"], "beat": plan["schedules"]}
    return tuple(role for role in ROLES if wanted[role])


def lost(before: Mapping[str, Any], after: Mapping[str, Any], root: Path) -> list[str]:
    """The files whose Steps or streams run and could not be loaded any more, though they are
    there: a half-written save must not take a part of the app away.
    """
    told = [problem for problem in before["problems"] if problem["severity"] == "error"]
    new = [p for p in after["problems"] if p["severity"] == "error" and p not in told]
    gone = _loaded(before) - _loaded(after)
    return sorted(file for file in gone if (root / file).is_file()) if new else []


def _loaded(plan: Mapping[str, Any]) -> set[str]:
    return {found["file"] for kind in ("steps", "streams") for found in plan[kind]}


def touched(
    files: Iterable[str], before: Mapping[str, Any], after: Mapping[str, Any]
) -> frozenset[Role]:
    """The processes to restart when ``files`` changed and the Plan went from one to the other.

    A Step's file touches the processes that run it; any other file may be imported by all of
    them. Both Plans are given as :func:`motia_celery.plan.describe.describe` gives them.
    """
    roles: set[Role] = set()
    for file in files:
        roles |= _roles_of(file, before, after)
    if before["queues"] != after["queues"]:
        roles |= {"web", "worker", "beat"}
    if before["schedules"] != after["schedules"]:
        roles |= {"worker", "beat"}
    if before["routes"] != after["routes"]:
        roles.add("web")
    return frozenset(roles)


def _roles_of(file: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> set[Role]:
    if file.startswith(_CONFIG):
        return {"web", "worker"}
    steps = [step for plan in (before, after) for step in plan["steps"] if step["file"] == file]
    if steps:
        kinds = {trigger["type"] for step in steps for trigger in step["triggers"]}
        return {"web" if kind == "http" else "worker" for kind in kinds}
    if file.endswith((".toml", ".env")):
        return set(ROLES)
    return {"web", "worker"}
