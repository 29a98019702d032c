"""What is wrong with a Step's handler, and with what stands beside it in a list of triggers."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from motia_celery.model.problem import Problem
from motia_celery.motia.steps import HandlerByTrigger
from motia_celery.runtime.remote import RemoteHandler
from motia_celery.runtime.source import Definition, SourceFile

#: Kinds of triggers that start nothing yet.
_NOT_RUN = frozenset({"state", "stream"})


def handler_fault(definition: Definition) -> str | None:
    """Why the handler can not run, or None."""
    return _fault(definition.handler) or _missing_handler(definition)


def trigger_problems(source: SourceFile, definition: Definition) -> Iterator[Problem]:
    """What is wrong with the functions of a list of triggers."""
    yield from _several_conditions(source, definition)
    yield from _no_conditions(source, definition)


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
    handler = definition.handler
    if not isinstance(handler, (HandlerByTrigger, RemoteHandler)) or handler.by_kind is None:
        return None
    by_kind: Mapping[str, Any] = handler.by_kind
    for kind in dict.fromkeys(trigger.kind for trigger in definition.triggers):
        fault = _kind_fault(by_kind.get(kind))
        if fault and kind not in _NOT_RUN:
            return f"{fault}, for its {kind} trigger"
    return None


def _kind_fault(handler: object) -> str | None:
    is_remote = isinstance(handler, str) and handler.endswith("Function")
    return None if is_remote and "Generator" not in str(handler) else _fault(handler)


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
        condition = trigger.condition
        if condition is None or callable(condition) or isinstance(condition, RemoteHandler):
            continue
        is_told = isinstance(condition, str) and source.language != "python"
        kind = condition if is_told else type(condition).__name__
        yield Problem(
            file=source.file,
            what=f"condition is no function but {kind}",
            fix="Write a function of (input, context); every run is skipped until then.",
            field=f"triggers.{index}.condition",
        )
