"""Routes: every http trigger with its compiled path, in the order in which they are tried."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from motia_celery.model.path import CompiledPath, compile_path
from motia_celery.model.problem import Problem
from motia_celery.model.step import HttpTrigger, Step

#: Served by the framework itself, whatever the Steps say; so is everything under ``/__``.
METRICS_PATH = "/metrics"
RESERVED_PATHS = frozenset({"/health/live", "/health/ready", METRICS_PATH})
RESERVED_PREFIX = "/__"
#: Where the Workbench is.
WORKBENCH_PATH = "/__workbench"
#: Below ``/__motia/streams/``, what Motia's own Workbench lists streams by.
STREAM_LISTINGS = frozenset({"all", "details", "group", "item"})

#: Texts that stand for whatever a parameter may take.
_SAMPLES = ("~", "7", "a-z")
_PARAMETER = re.compile(r"(/?)\{\w+\}")
_SEGMENT_END = re.compile(r"(?<!^)/|$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One http trigger of a Step, ready to be matched."""

    step: Step
    trigger: HttpTrigger
    path: CompiledPath


def compile_routes(steps: Iterable[Step]) -> tuple[tuple[Route, ...], tuple[Problem, ...]]:
    """The routes, the more specific path first, and what is wrong with any of them.

    Routes of equal specificity keep the order of the Steps. One that repeats an earlier route,
    or takes a path of the framework itself, is left out.
    """
    found = [
        Route(step=step, trigger=trigger, path=compile_path(trigger.path))
        for step in steps
        for trigger in step.http
    ]
    kept: list[Route] = []
    problems: list[Problem] = []
    taken: dict[str, _Taken] = defaultdict(_Taken)
    for route in sorted(found, key=lambda route: route.path.rank):
        same = taken[route.trigger.method]
        fault = _reserved(route) or _repeated(route, same)
        if fault:
            problems.append(fault)
            continue
        problems.extend((*_shadowed(route, same), *_doubts(route)))
        kept.append(route)
        same.add(route)
    return tuple(kept), tuple(problems)


class _Taken:
    """The routes of one method that have been kept."""

    def __init__(self) -> None:
        self._by_path: dict[Any, Route] = {}
        #: Those with a parameter, by the plain text that they begin with.
        self._dynamic: dict[str, list[Route]] = defaultdict(list)

    def add(self, route: Route) -> None:
        """One more, which nothing repeats."""
        self._by_path[_identity(route.path)] = route
        if route.path.static is None:
            self._dynamic[route.path.beginning].append(route)

    def repeated_by(self, path: CompiledPath) -> Route | None:
        """The route that takes the very same paths."""
        return self._by_path.get(_identity(path))

    def covering(self, path: CompiledPath) -> Route | None:
        """A route that takes every sample of what ``path`` would, if there is one; two patterns
        can not be compared in general.
        """
        if not self._dynamic:
            return None
        first, *others = _samples(path)
        for beginning in _beginnings(first):
            for route in self._dynamic.get(beginning, ()):
                match = route.path.match
                if match(first) is not None and all(match(s) is not None for s in others):
                    return route
        return None


def _identity(path: CompiledPath) -> Any:
    return path.regex if path.static is None else path.static


def _beginnings(path: str) -> Iterator[str]:
    """What a path that takes this one may begin with: nothing, ``/a``, ``/a/b`` and so on."""
    yield ""
    for found in _SEGMENT_END.finditer(path):
        yield path[: found.start()].lower()


def _reserved(route: Route) -> Problem | None:
    if route.path.static not in RESERVED_PATHS and not route.path.source.startswith(
        RESERVED_PREFIX
    ):
        return None
    return Problem(
        file=route.step.file,
        what=f"{_label(route)} is a path of the framework itself",
        fix="Choose another path; this route does not run until then.",
    )


def _repeated(route: Route, earlier: _Taken) -> Problem | None:
    other = earlier.repeated_by(route.path)
    if other is None:
        return None
    return Problem(
        file=route.step.file,
        what=f"{_label(route)} is already taken by {_label(other)} in {other.step.file}",
        fix="Change the path or the method of one of them; this route does not run until then.",
    )


def _shadowed(route: Route, earlier: _Taken) -> Iterator[Problem]:
    other = earlier.covering(route.path)
    if other is not None:
        yield Problem(
            file=route.step.file,
            what=f"{_label(route)} is shadowed by {_label(other)} in {other.step.file}",
            fix="Change the path or the method of one of them.",
            severity="warning",
        )


def _samples(path: CompiledPath) -> tuple[str, ...]:
    """Paths that ``path`` matches, with its optional parts and without them."""
    templates = {path.openapi} | {
        path.openapi[: found.start()] + path.openapi[found.end() :]
        for found in _PARAMETER.finditer(path.openapi)
    }
    tried = {
        _PARAMETER.sub(rf"\g<1>{text}", template) or "/"
        for template in templates
        for text in (*_SAMPLES, "~/~", "")
    }
    matched = tuple(sample for sample in tried if path.match(sample) is not None)
    return matched or (path.openapi,)


def _doubts(route: Route) -> Iterator[Problem]:
    """What is likely a mistake, though the route is kept."""
    if route.trigger.method == "OPTIONS":
        yield Problem(
            file=route.step.file,
            what=f"{_label(route)} never runs: OPTIONS requests are answered as CORS preflights",
            fix="Remove the Step, or use another method.",
            severity="warning",
        )
    fault = route.trigger.body_schema is not None and schema_fault(route.trigger.body_schema)
    if fault:
        yield Problem(
            file=route.step.file,
            what=f"bodySchema of {_label(route)} is not a valid JSON Schema: {fault}",
            fix="Correct the schema; where bodies are validated, this route answers 500.",
            severity="warning",
        )


def schema_fault(schema: Any) -> str | None:
    """Why ``schema`` can not validate anything, or None. A remote reference is not followed."""
    import jsonschema_rs  # 3 MB, which only an app with schemas needs

    try:
        jsonschema_rs.validator_for(schema, retriever=no_remote)
    except (jsonschema_rs.ValidationError, ValueError) as error:
        return str(getattr(error, "message", error))
    return None


def no_remote(uri: str) -> Any:
    """Refuses to fetch a schema that another one refers to."""
    raise ValueError(f"{uri} is not part of the schema")


def _label(route: Route) -> str:
    return f"{route.trigger.method} {route.trigger.path}"
