"""The project's config file: what of it counts here, and what is said of the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from motia_celery.discover.adapters import adapter_problems
from motia_celery.discover.plugins import plugin_problems
from motia_celery.model.problem import Problem
from motia_celery.model.project import ProjectMiddleware
from motia_celery.model.step import StreamAuth
from motia_celery.runtime.remote import RemoteHandler
from motia_celery.runtime.source import Definition, SourceFile

_AUTH = re.compile(r"streamAuth|stream_auth|authenticateStream|authenticate_stream")
_MIDDLEWARE = re.compile(r"\bmiddleware['\"]?\s*[:=]")


def read_stream_auth(source: SourceFile, definition: Definition | None) -> StreamAuth | None:
    """The file's ``streamAuth``; None where it has none. Without a definition it was not loaded."""
    if definition is None:
        # A file that only speaks of other things, such as plugins, closes nothing.
        is_meant, is_usable = _speaks_of(source, _AUTH), False
    else:
        rule = definition.authenticate
        is_meant, is_usable = rule is not None, isinstance(rule, RemoteHandler) or callable(rule)
    if not is_meant:
        return None
    return StreamAuth(
        file=source.file,
        language=source.language,
        is_usable=is_usable,
        takes_context=definition is not None and not definition.project.get("hasStreamAuth", True),
    )


def read_middleware(source: SourceFile, definition: Definition | None) -> ProjectMiddleware | None:
    """The file's ``middleware``; None where it has none."""
    if definition is None:
        is_meant, is_usable = _speaks_of(source, _MIDDLEWARE), False
    else:
        kinds = definition.project.get("middleware") or []
        is_meant, is_usable = bool(kinds), set(kinds) == {"function"}
    if not is_meant:
        return None
    return ProjectMiddleware(file=source.file, language=source.language, is_usable=is_usable)


def _speaks_of(source: SourceFile, part: re.Pattern[str]) -> bool:
    return bool(part.search(source.path.read_text(encoding="utf-8", errors="replace")))


def config_fault(problem: Problem, *, closes: bool) -> Problem:
    """Why the file can not be loaded: a warning where it ``closes`` nothing, as in Motia."""
    if not closes:
        fix = f"{problem.fix} The app runs without the file until then."
        return replace(problem, severity="warning", fix=fix)
    fix = f"{problem.fix} What its streamAuth and middleware guard is closed until then."
    return replace(problem, fix=fix)


def config_problems(
    source: SourceFile,
    others: tuple[SourceFile, ...],
    auth: StreamAuth | None,
    definition: Definition | None,
) -> Iterator[Problem]:
    """What is wrong with the file, beside why it can not be loaded."""
    if definition is not None:
        text = source.path.read_text(encoding="utf-8", errors="replace")
        for problem in _part_problems(source.file, auth, definition):
            yield replace(problem, line=_line(text, problem.field))
    for other in others:
        yield Problem(
            file=other.file,
            what=f"is not read, because there is {source.file}",
            fix="Keep one config file.",
            severity="warning",
        )


def _line(text: str, field: str) -> int | None:
    """Where the field is written, each of its parts behind the one around it."""
    found = 0
    for part in field.split("."):
        snake = re.sub(r"([A-Z])", lambda letter: f"_{letter[0].lower()}", part)
        ending = r"(?:['\"]?\s*[:=(]|\s*[,}])"  # not that of a text in quotes
        match = re.compile(rf"\b(?:{part}|{snake})\b{ending}").search(text, found)
        if match is None:
            break
        found = match.start()
    return text.count("\n", 0, found) + 1 if found else None


def _part_problems(file: str, auth: StreamAuth | None, definition: Definition) -> Iterator[Problem]:
    told = definition.project
    if auth is not None and not auth.is_usable:
        yield _no_function(file, auth)
    for kind in told.get("middleware") or ():
        if kind != "function":
            yield Problem(
                file=file,
                what=f"middleware holds what is no function but {kind}",
                fix="Write functions of (req, ctx, next); no request is let through until then.",
                field="middleware",
            )
    if told.get("hasApp"):
        yield _no_express(file)
    yield from adapter_problems(file, told)
    yield from plugin_problems(file, told)


def _no_function(file: str, auth: StreamAuth) -> Problem:
    closed = "no client may follow a stream until then."
    if auth.takes_context:
        return Problem(
            file=file,
            what="authenticateStream is no function",
            fix=f"Write a function of (input, context); {closed}",
            field="authenticateStream",
        )
    return Problem(
        file=file,
        what="streamAuth has no function authenticate",
        fix=f"Write authenticate(request); {closed}",
        field="streamAuth",
    )


def _no_express(file: str) -> Problem:
    return Problem(
        file=file,
        what="app is not called: no Express app serves the routes here",
        fix="Put what it does to every request into middleware of this file, its routes into API "
        "Steps, and static files behind a web server.",
        severity="warning",
        field="app",
    )
