"""Plugins of the project's config file: the Step files that they bring, and what they can not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from os.path import relpath
from pathlib import Path
from typing import Any

from motia_celery.discover.files import source_at
from motia_celery.model.problem import Problem
from motia_celery.runtime.source import SourceFile

_BRACES = re.compile(r"\{([^{}]*)\}")
#: Motia's own plugins whose panels the Workbench has anyway.
_BUILT_IN = re.compile(
    r"@motiadev/plugin-(?:observability|states|streams?|endpoints?|logs|bullmq|queues?|cron)\b"
)


def plugin_sources(root: Path, told: Mapping[str, Any]) -> tuple[SourceFile, ...]:
    """The Step files that the plugins name, in their order."""
    found: dict[Path, SourceFile] = {}
    for plugin in told.get("plugins") or ():
        for path in _files(plugin):
            source = source_at(path, Path(relpath(path, root)).as_posix())
            if source is not None and source.kind == "step":
                found.setdefault(path, source)
    return tuple(found.values())


def _files(plugin: Mapping[str, Any]) -> Iterator[Path]:
    folder = plugin.get("dirname")
    if not folder or not Path(folder).is_dir():
        return
    for pattern in plugin.get("steps") or ():
        for one in _expanded(pattern.removeprefix("./")):
            if not one.startswith("/"):
                yield from sorted(path for path in Path(folder).glob(one) if path.is_file())


def _expanded(pattern: str) -> list[str]:
    """``*.{ts,js}`` as two patterns."""
    match = _BRACES.search(pattern)
    if match is None:
        return [pattern]
    head, tail = pattern[: match.start()], pattern[match.end() :]
    return [whole for part in match[1].split(",") for whole in _expanded(head + part + tail)]


def plugin_problems(file: str, told: Mapping[str, Any]) -> Iterator[Problem]:
    """What each plugin asks for that is not here, with what to do instead."""
    for number, plugin in enumerate(told.get("plugins") or ()):
        name = plugin.get("package") or plugin.get("name") or f"number {number + 1}"
        for what, fix in _faults(plugin):
            yield Problem(
                file=file,
                what=f"the plugin {name} {what}",
                fix=fix,
                severity="warning",
                field="plugins",
            )


def _faults(plugin: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if error := plugin.get("error"):
        yield (
            f"can not be built here: {error.get('message')}",
            "Remove it, or write what it does as Steps.",
        )
    if package := plugin.get("package"):
        if not _BUILT_IN.match(package):
            yield (
                "does nothing here: Motia's own plugins are panels of its Workbench",
                "Remove it. The Workbench here has panels of its own.",
            )
        return
    for panel in plugin.get("workbench") or ():
        yield (
            f"has a panel for Motia's Workbench, {panel!r}, which is not shown",
            "Serve the page from an API Step. The plugin's Steps run.",
        )
    for route in plugin.get("routes") or ():
        yield (
            f"registers the route {route}, which is not served",
            "Write it as an API Step, which the plugin may name in steps.",
        )
