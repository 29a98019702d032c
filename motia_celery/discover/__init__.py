"""Discovery: finds the Step and stream files of a project and reads their configs."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from motia_celery.discover.config_file import config_problems, read_stream_auth
from motia_celery.discover.files import find_config, find_sources
from motia_celery.discover.handlers import handler_fault, trigger_problems
from motia_celery.discover.lines import located
from motia_celery.discover.wanted import as_wanted
from motia_celery.model.problem import Problem
from motia_celery.model.reading import read_step, read_stream
from motia_celery.model.step import Language, Step, Stream, StreamAuth
from motia_celery.runtime.faults import load_problem
from motia_celery.runtime.python import PythonHost
from motia_celery.runtime.remote import RemoteHandler
from motia_celery.runtime.remotehost import Loaded, RemoteHost
from motia_celery.runtime.source import Definition, SourceFile

__all__ = ["Project", "discover"]

_Loaded = tuple[Definition | None, tuple[Problem, ...]]
_Hosts = Mapping[Language, PythonHost | RemoteHost]

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

    ``stream_auth`` is that of the project's config file.
    """

    steps: tuple[Step, ...]
    streams: tuple[Stream, ...]
    problems: tuple[Problem, ...]
    stream_auth: StreamAuth | None = None


def discover(root: Path, python: PythonHost, *remote: RemoteHost) -> Project:
    """Reads every Step and stream file below ``root``; one bad file never stops the others.

    Files of a language that has no host here are left out.
    """
    hosts = _by_language(python, remote)
    steps: list[Step] = []
    streams: list[Stream] = []
    problems: list[Problem] = []
    stream_auth: StreamAuth | None = None
    config, *others = find_config(root) or (None,)
    for source, (definition, fault) in _load_all(root, config, hosts):
        problems.extend(fault)
        if source is config:
            stream_auth = read_stream_auth(source, definition)
            found = config_problems(source, tuple(others), stream_auth, definition is not None)
            problems.extend(located(tuple(found), source.path))
            if definition is not None:
                hosts[source.language].register_authentication(definition)
            continue
        if definition is None:
            continue
        problems.extend(_unread(source, definition))
        if source.kind == "stream":
            stream, faults = read_stream(
                definition.config, file=source.file, language=source.language
            )
            problems.extend(located((*faults, *_access_faults(source, definition)), source.path))
            if stream:
                hosts[source.language].register_access(stream.name, definition)
                streams.append(stream)
        else:
            step, faults = _step(source, definition)
            problems.extend(located(faults, source.path))
            if step and all(step.name != other.name for other in steps):
                hosts[source.language].register(step.name, definition)
            steps.extend([step] if step else [])
    return Project(
        steps=tuple(steps),
        streams=tuple(streams),
        problems=tuple(problems),
        stream_auth=stream_auth,
    )


def _by_language(python: PythonHost, remote: Sequence[RemoteHost]) -> _Hosts:
    others = {language: host for host in remote for language in host.languages}
    return {"python": python, **others}


def _load_all(
    root: Path, config: SourceFile | None, hosts: _Hosts
) -> Iterator[tuple[SourceFile, _Loaded]]:
    """Every file in order, loaded; those of a remote host are read together, which is faster."""
    found = (*((config,) if config else ()), *find_sources(root))
    sources = [source for source in found if source.language in hosts]
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
