"""Plugins of the project's config file: the Step files and routes that they bring, and what they
can not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from os.path import relpath
from pathlib import Path
from typing import Any

from motia_celery.discover.files import source_at
from motia_celery.model.problem import Problem
from motia_celery.model.project import PLUGIN_FLOW
from motia_celery.plan.routes import RESERVED_PREFIX
from motia_celery.runtime.remote import RemoteHandler
from motia_celery.runtime.source import Definition, SourceFile

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


def plugin_routes(source: SourceFile, told: Mapping[str, Any]) -> Iterator[Definition]:
    """The routes of plugins that can be served, each as the file of a Step would define it."""
    for plugin in told.get("plugins") or ():
        for route in plugin.get("routes") or ():
            if _route_fault(route) is None:
                config = {"type": "api", "flows": [PLUGIN_FLOW], "emits": []}
                config |= {key: route[key] for key in ("name", "method", "path")}
                handler = RemoteHandler(file=str(source.path))
                yield Definition(config=config, handler=handler)


def _route_fault(route: Mapping[str, Any]) -> tuple[str, str] | None:
    """Why a route is not served, and what to do."""
    if route["handlerType"] != "function":
        what = f"registers the route {route['name']} with no function but {route['handlerType']}"
        return what, "Give registerApi a function of (req, ctx)."
    if route["path"].startswith(RESERVED_PREFIX):
        what = f"registers the route {route['name']}, which is not served"
        return what, f"Choose a path that does not begin with {RESERVED_PREFIX}: those are ours."
    return None


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
    yield from filter(None, map(_route_fault, plugin.get("routes") or ()))
