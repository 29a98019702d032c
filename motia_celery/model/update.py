"""Update operations: a JSON value changed in one step, as Motia 1.0 writes it.

``[{"type": "increment", "path": "count", "by": 1}, {"type": "set", "path": "status", …}]``.
A ``path`` is one key, taken literally; a list of keys leads deeper, and ``""`` is the value
itself. What is missing on the way is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from motia_celery.errors import UpdateError

#: The whole value is the one entry of a dict, so that every path has a parent.
_WHOLE = ""

_Parent = dict[str, Any]
_Change = Callable[[_Parent, str, Mapping[str, Any]], None]


def updated(value: Any, operations: Iterable[Mapping[str, Any]], where: str) -> Any:
    """The value after the operations, in order. It is changed in place where it can be.

    Raises:
        UpdateError: one of them can not be applied; ``where`` names the value in the message.
    """
    whole = {_WHOLE: value}
    for operation in operations:
        try:
            _apply(whole, operation)
        except _UnfitError as error:
            raise UpdateError(f"{error.args[0]}.", where, error.args[1]) from None
    return whole.get(_WHOLE)


class _UnfitError(Exception):
    """What does not fit, and what to do."""


def _apply(whole: _Parent, operation: Any) -> None:
    kind = operation.get("type") if isinstance(operation, Mapping) else None
    change = _CHANGES.get(kind) if isinstance(kind, str) else None
    if change is None:
        raise _UnfitError(
            f"{operation!r} is no update operation", f"Its type is one of {', '.join(_CHANGES)}."
        )
    parent, key = _place(whole, _path(operation))
    change(parent, key, operation)


def _path(operation: Mapping[str, Any]) -> tuple[str, ...]:
    path = operation.get("path")
    if path is None and operation["type"] in ("merge", "append"):
        return (_WHOLE,)
    if isinstance(path, str):
        return (_WHOLE, path) if path else (_WHOLE,)
    if isinstance(path, list) and all(isinstance(key, str) for key in path):
        return (_WHOLE, *path)
    raise _UnfitError(
        f"the {operation['type']!r} operation needs a path, not {path!r}",
        'Write a key, a list of keys, or "" for the whole value.',
    )


def _place(whole: _Parent, path: tuple[str, ...]) -> tuple[_Parent, str]:
    """The object that holds the path's last key."""
    parent: Any = whole
    for depth, key in enumerate(path[:-1], start=1):
        if parent.get(key) is None:
            parent[key] = {}
        parent = parent[key]
        if not isinstance(parent, dict):
            raise _UnfitError(
                f"{_shown(path[:depth])} is {_kind(parent)}, no object", "Look at path."
            )
    return parent, path[-1]


def _set(parent: _Parent, key: str, operation: Mapping[str, Any]) -> None:
    parent[key] = operation.get("value")


def _merge(parent: _Parent, key: str, operation: Mapping[str, Any]) -> None:
    value = operation.get("value")
    if not isinstance(value, dict):
        raise _UnfitError(f"{_kind(value)} can not be merged", "Give an object as its value.")
    _held(parent, key, dict).update(value)


def _append(parent: _Parent, key: str, operation: Mapping[str, Any]) -> None:
    _held(parent, key, list).append(operation.get("value"))


def _held(parent: _Parent, key: str, kind: type[Any]) -> Any:
    """The container at the key, made if nothing is there."""
    if parent.get(key) is None:
        parent[key] = kind()
    if not isinstance(parent[key], kind):
        wanted = "object" if kind is dict else "list"
        raise _UnfitError(f"{_shown((key,))} is {_kind(parent[key])}, no {wanted}", "Look at path.")
    return parent[key]


def _increment(parent: _Parent, key: str, operation: Mapping[str, Any]) -> None:
    _add(parent, key, operation.get("by", 1), 1)


def _decrement(parent: _Parent, key: str, operation: Mapping[str, Any]) -> None:
    _add(parent, key, operation.get("by", 1), -1)


def _add(parent: _Parent, key: str, by: Any, sign: int) -> None:
    held = parent.get(key)
    held = 0 if held is None else held
    for number, name in ((held, _shown((key,))), (by, "by")):
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise _UnfitError(f"{name} is {_kind(number)}, no number", "Count in a number.")
    parent[key] = held + sign * by


def _remove(parent: _Parent, key: str, operation: Mapping[str, Any]) -> None:
    parent.pop(key, None)


_CHANGES: dict[str, _Change] = {
    "set": _set,
    "merge": _merge,
    "increment": _increment,
    "decrement": _decrement,
    "append": _append,
    "remove": _remove,
}

_KINDS = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "a number")


def _shown(path: tuple[str, ...]) -> str:
    names = [key for key in path if key != _WHOLE]
    return repr(".".join(names)) if names else "the value"
