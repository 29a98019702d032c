"""What is wrong with a Step's handler, and with what stands beside it in a list of triggers."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, get_origin

from motia_celery.model.problem import Problem
from motia_celery.motia.messages import MotiaHttpArgs
from motia_celery.motia.steps import HandlerByTrigger
from motia_celery.runtime.remote import RemoteHandler
from motia_celery.runtime.source import Definition, SourceFile
from motia_celery.runtime.wanted import first_annotation


def handler_fault(definition: Definition) -> str | None:
    """Why the handler can not run, or None."""
    return _fault(definition.handler) or _missing_handler(definition)


def trigger_problems(source: SourceFile, definition: Definition) -> Iterator[Problem]:
    """What is wrong with the functions of a list of triggers."""
    yield from _several_conditions(source, definition)
    yield from _no_conditions(source, definition)
    yield from _written_responses(source, definition)


def _fault(handler: object) -> str | None:
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


def _missing_handler(definition: Definition) -> str | None:
    """What is wrong with a handler that has a function for each kind of trigger."""
    if not isinstance(definition.handler, HandlerByTrigger):
        return None
    by_kind = definition.handler.by_kind
    for kind in dict.fromkeys(trigger.kind for trigger in definition.triggers):
        fault = _fault(by_kind.get(kind))
        if fault:
            return f"{fault}, for its {kind} trigger"
    return None


def _several_conditions(source: SourceFile, definition: Definition) -> Iterator[Problem]:
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


def _no_conditions(source: SourceFile, definition: Definition) -> Iterator[Problem]:
    for index, trigger in enumerate(definition.triggers):
        if trigger.condition is not None and not callable(trigger.condition):
            yield Problem(
                file=source.file,
                what=f"condition is no function but {type(trigger.condition).__name__}",
                fix="Write a function of (input, context); every run is skipped until then.",
                field=f"triggers.{index}.condition",
            )


def _written_responses(source: SourceFile, definition: Definition) -> Iterator[Problem]:
    """A warning for a handler that writes to the ``response`` of Motia 1.0."""
    handler = definition.handler
    many = handler.by_kind.values() if isinstance(handler, HandlerByTrigger) else (handler,)
    if any(_writes_response(function) for function in many):
        yield Problem(
            file=source.file,
            what="the handler uses the response of MotiaHttpArgs, which is not here",
            fix='Return the response, as in {"status": 200, "body": …}.',
            severity="warning",
        )


def _writes_response(function: Any) -> bool:
    code = getattr(function, "__code__", None)
    if code is None or "response" not in code.co_names:
        return False
    annotation = first_annotation(function)
    return (get_origin(annotation) or annotation) is MotiaHttpArgs
