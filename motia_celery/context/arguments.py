"""How many arguments a function takes, and which: handlers may leave out what they do not use."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

_CONTEXT_NAMES = frozenset({"ctx", "context", "flow_context"})


def room(function: Callable[..., Any], most: int = 2) -> int | None:
    """How many arguments the function takes, at most ``most``; None for ``*args``, all of them."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    return min(
        most, sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
    )


def wants_context_alone(function: Callable[..., Any]) -> bool:
    """Whether the function takes one argument, and calls it a context."""
    if room(function) != 1:
        return False
    first = next(iter(inspect.signature(function).parameters))
    return first.lstrip("_") in _CONTEXT_NAMES


def fitting(function: Callable[..., Any], given: Any, context: Any) -> tuple[Any, ...]:
    """Of the input and the context as many as the function takes."""
    if wants_context_alone(function):
        return (context,)
    return (given, context)[: room(function)]
