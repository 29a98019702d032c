"""Discovery: finds the Step and stream files of a project and reads their configs."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from motia_celery.discover.config_file import config_problems, read_stream_auth
from motia_celery.discover.files import find_config, find_sources
from motia_celery.discover.lines import located
from motia_celery.discover.wanted import as_wanted
from motia_celery.model.problem import Problem
from motia_celery.model.reading import read_step, read_stream
from motia_celery.model.step import Step, Stream, StreamAuth
from motia_celery.motia.steps import HandlerByTrigger
from motia_celery.runtime.faults import load_problem
from motia_celery.runtime.node import NodeHost
from motia_celery.runtime.python import PythonHost
from motia_celery.runtime.remote import RemoteHandler
from motia_celery.runtime.source import Definition, SourceFile

__all__ = ["Project", "discover"]

_Loaded = tuple[Definition | None, tuple[Problem, ...]]

_HANDLERS = {
    "python": "Define async def handler(…)",
    "typescript": "Export a function named handler",
    "javascript": "Export a function named handler",
}

#: Kinds of triggers that start nothing yet.
_NOT_RUN = frozenset({"state", "stream"})

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


def discover(root: Path, python: PythonHost, node: NodeHost) -> Project:
    """Reads every Step and stream file below ``root``; one bad file never stops the others."""
    steps: list[Step] = []
    streams: list[Stream] = []
    problems: list[Problem] = []
    stream_auth: StreamAuth | None = None
    config, *others = find_config(root) or (None,)
    for source, (definition, fault) in _load_all(root, config, python, node):
        problems.extend(fault)
        if source is config:
            stream_auth = read_stream_auth(source, definition)
            found = config_problems(source, tuple(others), stream_auth, definition is not None)
            problems.extend(located(tuple(found), source.path))
            if definition is not None:
                _host(source, python, node).register_authentication(definition)
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
                _host(source, python, node).register_access(stream.name, definition)
                streams.append(stream)
        else:
            step, faults = _step(source, definition)
            problems.extend(located(faults, source.path))
            if step and all(step.name != other.name for other in steps):
                _host(source, python, node).register(step.name, definition)
            steps.extend([step] if step else [])
    return Project(
        steps=tuple(steps),
        streams=tuple(streams),
        problems=tuple(problems),
        stream_auth=stream_auth,
    )


def _host(source: SourceFile, python: PythonHost, node: NodeHost) -> PythonHost | NodeHost:
    return python if source.language == "python" else node


def _load_all(
    root: Path, config: SourceFile | None, python: PythonHost, node: NodeHost
) -> Iterator[tuple[SourceFile, _Loaded]]:
    """Every file in order, loaded; those for Node are read together, which is much faster."""
    sources = (*((config,) if config else ()), *find_sources(root))
    of_node = node.load_all([source for source in sources if source.language != "python"])
    for source in sources:
        found = of_node.get(source.file)
        if found is None:
            yield source, _load(source, root, python)
        elif isinstance(found, Definition):
            yield source, (found, ())
        else:
            yield source, (None, (load_problem(found, source.file, source.path, root),))


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
    fault = _handler_fault(definition.handler) or _missing_handler(definition)
    problems = (*problems, *_condition_faults(source, definition))
    if fault is None:
        return as_wanted(step, definition.wanted), problems
    unusable = Problem(
        file=source.file,
        what=f"the Step {step.name!r} {fault}",
        fix=f"{_HANDLERS[source.language]}; this Step does not run until then.",
    )
    return None, (*problems, unusable)


def _missing_handler(definition: Definition) -> str | None:
    """What is wrong with a handler that has a function for each kind of trigger."""
    if not isinstance(definition.handler, HandlerByTrigger):
        return None
    by_kind = definition.handler.by_kind
    for kind in dict.fromkeys(trigger.kind for trigger in definition.triggers):
        fault = _handler_fault(by_kind.get(kind))
        if fault and kind not in _NOT_RUN:
            return f"{fault}, for its {kind} trigger"
    return None


def _condition_faults(source: SourceFile, definition: Definition) -> Iterator[Problem]:
    crons = [t.condition for t in definition.triggers if t.kind == "cron"]
    if any(condition is not crons[0] for condition in crons):
        yield Problem(
            file=source.file,
            what="its cron triggers have several conditions, and a tick does not say whose it is: "
            "the first one's condition counts for all",
            fix="Give them the same condition, or make two Steps of it.",
            severity="warning",
            field="triggers",
        )
    for index, trigger in enumerate(definition.triggers):
        if trigger.condition is not None and not callable(trigger.condition):
            yield Problem(
                file=source.file,
                what=f"condition is no function but {type(trigger.condition).__name__}",
                fix="Write a function of (input, context); every run is skipped until then.",
                field=f"triggers.{index}.condition",
            )


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


def _handler_fault(handler: object) -> str | None:
    if handler is None:
        return "has no handler"
    if isinstance(handler, RemoteHandler):
        return None
    if isinstance(handler, str):  # the type of what stands in a handler's place
        return f"has a handler that is no function but {handler}"
    if not callable(handler):
        return f"has a handler that is no function but {type(handler).__name__}"
    if inspect.isgeneratorfunction(handler) or inspect.isasyncgenfunction(handler):
        return "has a handler with 'yield' in it, which would never run"
    return None
