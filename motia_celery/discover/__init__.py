"""Discovery: finds the Step and stream files of a project and reads their configs."""

from __future__ import annotations

import contextlib
import inspect
import sys
from dataclasses import dataclass
from pathlib import Path

from motia_celery.discover.files import find_sources
from motia_celery.discover.lines import located
from motia_celery.model.problem import Problem
from motia_celery.model.reading import read_step, read_stream
from motia_celery.model.step import Step, Stream
from motia_celery.runtime.faults import load_problem
from motia_celery.runtime.python import PythonHost
from motia_celery.runtime.source import Definition, SourceFile

__all__ = ["Project", "discover"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What was found: Steps and streams that can run, and the problems of those that can not."""

    steps: tuple[Step, ...]
    streams: tuple[Stream, ...]
    problems: tuple[Problem, ...]


def discover(root: Path, host: PythonHost) -> Project:
    """Reads every Step and stream file below ``root``; one bad file never stops the others."""
    steps: list[Step] = []
    streams: list[Stream] = []
    problems: list[Problem] = []
    for source in find_sources(root):
        definition, fault = _load(source, root, host)
        if definition is None:
            problems.extend(fault)
        elif source.kind == "stream":
            stream, faults = read_stream(definition.config, file=source.file)
            problems.extend(located(faults, source.path))
            streams.extend([stream] if stream else [])
        else:
            step, faults = _step(source, definition)
            problems.extend(located(faults, source.path))
            if step and all(step.name != other.name for other in steps):
                host.register(step.name, definition)
            steps.extend([step] if step else [])
    return Project(steps=tuple(steps), streams=tuple(streams), problems=tuple(problems))


def _load(
    source: SourceFile, root: Path, host: PythonHost
) -> tuple[Definition | None, tuple[Problem, ...]]:
    if source.language != "python":
        return None, (_no_node(source),)
    try:
        # Commands print data to stdout, which a file's own prints must not spoil.
        with contextlib.redirect_stdout(sys.stderr):
            return host.load(source), ()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a file may raise anything, SystemExit included
        return None, (load_problem(error, source.file, source.path, root),)


def _step(source: SourceFile, definition: Definition) -> tuple[Step | None, tuple[Problem, ...]]:
    step, problems = read_step(definition.config, file=source.file, path=str(source.path))
    if step is None or not step.triggers:
        return step, problems
    fault = _handler_fault(definition.handler)
    if fault is None:
        return step, problems
    unusable = Problem(
        file=source.file,
        what=f"the Step {step.name!r} {fault}",
        fix="Define async def handler(…); this Step does not run until then.",
    )
    return None, (*problems, unusable)


def _handler_fault(handler: object) -> str | None:
    if handler is None:
        return "has no handler"
    if not callable(handler):
        return f"has a handler that is no function but {type(handler).__name__}"
    if inspect.isgeneratorfunction(handler) or inspect.isasyncgenfunction(handler):
        return "has a handler with 'yield' in it, which would never run"
    return None


def _no_node(source: SourceFile) -> Problem:
    language = {"typescript": "TypeScript", "javascript": "JavaScript"}[source.language]
    return Problem(
        file=source.file,
        what=f"{language} files are not read by this version",
        fix="Write it in Python for now; the other Steps run.",
    )
