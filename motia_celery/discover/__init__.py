"""Discovery: finds the Step and stream files of a project and reads their configs."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from motia_celery.discover.adapters import servers_of
from motia_celery.discover.config_file import (
    config_fault,
    config_problems,
    read_middleware,
    read_stream_auth,
)
from motia_celery.discover.files import find_config, find_sources
from motia_celery.discover.handlers import handler_fault, trigger_problems
from motia_celery.discover.lines import located
from motia_celery.discover.plugins import plugin_routes, plugin_sources
from motia_celery.discover.wanted import as_wanted
from motia_celery.model.problem import Problem
from motia_celery.model.project import PLUGIN_FLOW, ProjectMiddleware, Servers
from motia_celery.model.reading import read_step, read_stream
from motia_celery.model.step import Language, Step, Stream, StreamAuth, step_id
from motia_celery.runtime.faults import load_problem
from motia_celery.runtime.node import NodeHost
from motia_celery.runtime.python import PythonHost
from motia_celery.runtime.remote import RemoteHandler
from motia_celery.runtime.remotehost import Loaded, RemoteHost
from motia_celery.runtime.source import Definition, SourceFile

__all__ = ["Project", "discover", "read_servers"]

_Loaded = tuple[Definition | None, tuple[Problem, ...]]
_Hosts = Mapping[Language, PythonHost | RemoteHost]

#: What counts of a plugin's Step, whatever its config says.
_OF_PLUGIN: Mapping[str, Any] = {"flows": (PLUGIN_FLOW,)}

_HANDLERS = {
    "python": "Define async def handler(…)",
    "typescript": "Export a function named handler",
    "javascript": "Export a function named handler",
    "ruby": "Define def handler(…)",
}

_OF_HOOKS = "Write a function of (subscription, context, authContext)"
_ACCESS_FIXES = {
    "canAccess": "Write a function of (subscription, authContext); nobody may join until then.",
    "onJoin": f"{_OF_HOOKS}; nobody may join until then.",
    "onLeave": f"{_OF_HOOKS}; it is not called until then.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What was found: Steps and streams that can run, and the problems of those that can not.

    ``stream_auth`` and ``middleware`` are those of the project's config file.
    """

    steps: tuple[Step, ...]
    streams: tuple[Stream, ...]
    problems: tuple[Problem, ...]
    stream_auth: StreamAuth | None = None
    middleware: ProjectMiddleware | None = None


def discover(root: Path, python: PythonHost, *remote: RemoteHost) -> Project:
    """Reads every Step and stream file below ``root``; one bad file never stops the others.

    Files of a language that has no host here are left out.
    """
    hosts = _by_language(python, remote)
    reading = _Reading(root, hosts)
    config, *others = find_config(root) or (None,)
    for source, loaded in _load_all(root, (config, *find_sources(root)), hosts):
        if source is config:
            reading.take_config(source, loaded, tuple(others))
        else:
            reading.take(source, loaded)
    for source, loaded in _load_all(root, reading.plugin_sources, hosts):
        reading.take(source, loaded, of_plugin=True)
    reading.take_plugin_routes()
    return reading.project()


def read_servers(root: Path) -> Servers:
    """The servers that the project's config file names; none where it can not be loaded."""
    config, *_ = find_config(root) or (None,)
    if config is None or config.language == "python":
        return Servers()
    found = NodeHost(root).load_all([config])[config.file]
    return servers_of(config.file, found.project) if isinstance(found, Definition) else Servers()


class _Reading:
    """What has been read of a project so far."""

    def __init__(self, root: Path, hosts: _Hosts) -> None:
        self._root = root
        self._hosts = hosts
        self._steps: list[Step] = []
        self._names: set[str] = set()
        self._streams: list[Stream] = []
        self._problems: list[Problem] = []
        self._stream_auth: StreamAuth | None = None
        self._middleware: ProjectMiddleware | None = None
        self.plugin_sources: tuple[SourceFile, ...] = ()
        self._plugin_routes: tuple[tuple[SourceFile, Definition], ...] = ()

    def take_config(
        self, source: SourceFile, loaded: _Loaded, others: tuple[SourceFile, ...]
    ) -> None:
        """Reads the project's config file."""
        definition, faults = loaded
        auth = self._stream_auth = read_stream_auth(source, definition)
        around = self._middleware = read_middleware(source, definition)
        self._problems += (config_fault(f, closes=bool(auth or around)) for f in faults)
        self._problems += config_problems(source, others, auth, definition)
        if definition is not None:
            host = self._hosts[source.language]
            host.register_authentication(definition)
            host.register_middleware(definition)
            self.plugin_sources = plugin_sources(self._root, definition.project)
            routes = plugin_routes(source, definition.project)
            self._plugin_routes = tuple((source, route) for route in routes)

    def take(self, source: SourceFile, loaded: _Loaded, *, of_plugin: bool = False) -> None:
        """Reads a Step or stream file."""
        definition, faults = loaded
        self._problems += faults
        if definition is None:
            return
        self._problems += _unread(source, definition)
        if source.kind == "stream":
            self._take_stream(source, definition)
        else:
            self._take_step(source, definition, _OF_PLUGIN if of_plugin else {})

    def take_plugin_routes(self) -> None:
        """The routes of plugins, after those of the project's own Steps, which go before them."""
        for source, definition in self._plugin_routes:
            # One file has many of them.
            own = step_id(f"{source.path}#{definition.config['name']}")
            self._take_step(source, definition, {**_OF_PLUGIN, "id": own})

    def _take_stream(self, source: SourceFile, definition: Definition) -> None:
        stream, faults = read_stream(definition.config, file=source.file, language=source.language)
        self._problems += located((*faults, *_access_faults(source, definition)), source.path)
        if stream:
            self._hosts[source.language].register_access(stream.name, definition)
            self._streams.append(stream)

    def _take_step(
        self, source: SourceFile, definition: Definition, given: Mapping[str, Any]
    ) -> None:
        step, faults = _step(source, definition)
        self._problems += located(faults, source.path)
        if step is None:
            return
        if step.name not in self._names:
            self._names.add(step.name)
            self._hosts[source.language].register(step.name, definition)
        self._steps.append(replace(step, **given))

    def project(self) -> Project:
        """All of it."""
        return Project(
            steps=tuple(self._steps),
            streams=tuple(self._streams),
            problems=tuple(self._problems),
            stream_auth=self._stream_auth,
            middleware=self._middleware,
        )


def _by_language(python: PythonHost, remote: Sequence[RemoteHost]) -> _Hosts:
    others = {language: host for host in remote for language in host.languages}
    return {"python": python, **others}


def _load_all(
    root: Path, files: Iterable[SourceFile | None], hosts: _Hosts
) -> Iterator[tuple[SourceFile, _Loaded]]:
    """Every file in order, loaded; those of a remote host are read together, which is faster."""
    sources = [source for source in files if source and source.language in hosts]
    told: dict[str, Loaded] = {}
    for host in dict.fromkeys(hosts.values()):
        if isinstance(host, RemoteHost):
            told |= host.load_all([s for s in sources if s.language in host.languages])
    for source in sources:
        host = hosts[source.language]
        if isinstance(host, RemoteHost):
            yield source, _read(told[source.file], source, root)
        else:
            yield source, _load(source, root, host)


def _read(told: Loaded, source: SourceFile, root: Path) -> _Loaded:
    if isinstance(told, Definition):
        return told, ()
    return None, (load_problem(told, source.file, source.path, root),)


def _unread(source: SourceFile, definition: Definition) -> Iterator[Problem]:
    for field, reason in definition.warnings:
        yield Problem(
            file=source.file,
            what=f"config field {field!r} is no schema that can be read: {reason}",
            fix="Use zod, JSON Schema, or a schema object that gives JSON Schema.",
            severity="warning",
            field=field,
        )


def _load(source: SourceFile, root: Path, host: PythonHost) -> _Loaded:
    try:
        # Commands print data to stdout, which a file's own prints must not spoil.
        with contextlib.redirect_stdout(sys.stderr):
            return host.load(source), ()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a file may raise anything, SystemExit included
        return None, (load_problem(error, source.file, source.path, root),)


def _step(source: SourceFile, definition: Definition) -> tuple[Step | None, tuple[Problem, ...]]:
    step, problems = read_step(
        definition.config, file=source.file, path=str(source.path), language=source.language
    )
    if step is None or not step.triggers:
        return step, problems
    fault = handler_fault(definition)
    problems = (*problems, *trigger_problems(source, definition))
    if fault is None:
        return as_wanted(step, definition.wanted), problems
    unusable = Problem(
        file=source.file,
        what=f"the Step {step.name!r} {fault}",
        fix=f"{_HANDLERS[source.language]}; this Step does not run until then.",
    )
    return None, (*problems, unusable)


def _access_faults(source: SourceFile, definition: Definition) -> Iterator[Problem]:
    functions = {"canAccess": definition.can_access, **definition.hooks}
    for name, function in functions.items():
        if function is None or isinstance(function, RemoteHandler) or callable(function):
            continue
        is_told = isinstance(function, str) and source.language != "python"
        kind = function if is_told else type(function).__name__
        yield Problem(
            file=source.file,
            what=f"{name} is no function but {kind}",
            fix=_ACCESS_FIXES[name],
            field=name,
        )
