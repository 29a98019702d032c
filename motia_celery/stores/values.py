"""What a value may be so that it can be stored: JSON, and the Python types with one JSON form.

Kept as is: None, bool, int (64 bits), finite float, str, list, dict. Kept by their usual form
and read back as it: tuple (list), datetime, date, time and UUID (text), Enum (its value),
dataclass and pydantic model (object), dict keys that are numbers or dates (text). All else
(bytes, sets, Decimal, NaN, circular references, …) is refused by name.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from datetime import date, time
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeGuard
from uuid import UUID

import orjson

from motia_celery.errors import StateValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

_OPTIONS = orjson.OPT_NON_STR_KEYS
_LEAVES = (bool, type(None), date, time, UUID)
_BIGGEST_INT = 2**64


def encode(value: Any, where: str) -> bytes:
    """The value as JSON; ``where`` names its place in errors.

    Raises:
        StateValueError: it, or something inside it, has no JSON form.
    """
    try:
        encoded = orjson.dumps(value, default=_plain, option=_OPTIONS)
    except (TypeError, ValueError, RecursionError) as error:
        raise _refused(value, where, str(error)) from error
    # orjson writes NaN and the infinities as null, which would lose them without a word.
    if b"null" in encoded and _first_fault(value):
        raise _refused(value, where, "")
    return encoded


def decode(encoded: bytes | str, where: str) -> Any:
    """The value that :func:`encode` wrote.

    Raises:
        StateValueError: another program wrote something there that is not JSON.
    """
    try:
        return orjson.loads(encoded)
    except orjson.JSONDecodeError as error:
        raise StateValueError(
            f"what is stored is not JSON ({error}).", where, "Delete it, or write it as JSON."
        ) from error


def is_model(value: Any) -> TypeGuard[BaseModel]:
    """Whether it is a pydantic model; a value can only be one where pydantic is imported."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(value, pydantic.BaseModel)


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _plain(value: Any) -> Any:
    if is_model(value):
        return value.model_dump(mode="json")
    raise TypeError(type(value).__name__)


def _refused(value: Any, where: str, reason: str) -> StateValueError:
    fault = _first_fault(value) or f"the value ({reason})"
    return StateValueError(
        f"{fault} has no JSON form.", where, "Convert it first, to text or a number for example."
    )


def _first_fault(value: Any) -> str | None:
    return next(_faults(value, "", ()), None)


def _faults(value: Any, path: str, parents: tuple[int, ...]) -> Iterator[str]:
    """Each thing inside ``value`` that JSON can not hold, as ``type at path``."""
    if id(value) in parents or len(parents) > 250:
        yield _at("a circular or too deep reference", path)
        return
    inside = _children(value)
    if inside is None:
        fault = _leaf_fault(value)
        if fault:
            yield _at(fault, path)
        return
    for name, child in inside:
        yield from _faults(child, f"{path}{name}", (*parents, id(value)))


def _at(fault: str, path: str) -> str:
    return f"{fault} at {path}" if path else fault


def _children(value: Any) -> Iterator[tuple[str, Any]] | None:
    """The named parts of a container; None for anything else."""
    if isinstance(value, dict):
        return _entries(value)
    if isinstance(value, list | tuple):
        return ((f"[{index}]", item) for index, item in enumerate(value))
    if is_model(value):
        # Its own rules decide how it is dumped, sets and Decimals included.
        return ((f".{name}", item) for name, item in value.model_dump(mode="json").items())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return ((f".{f.name}", getattr(value, f.name)) for f in dataclasses.fields(value))
    return None


def _entries(value: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if _children(key) is not None:
            yield f" key {key!r}", _NoJson(type(key).__name__)
        elif fault := _leaf_fault(key):
            yield f" key {key!r}", _NoJson(fault)
        yield f".{key}", item


class _NoJson:
    """Stands for a dict key that has no JSON form, so that it is reported like a value."""

    def __init__(self, name: str) -> None:
        self.name = name


def _leaf_fault(value: Any) -> str | None:
    if isinstance(value, _NoJson):
        return value.name
    if isinstance(value, Enum):
        return _leaf_fault(value.value)
    if isinstance(value, str):
        return None if _is_unicode(value) else "text with a lone surrogate"
    if isinstance(value, float):
        return None if math.isfinite(value) else repr(float(value))
    if isinstance(value, int) and not -_BIGGEST_INT // 2 <= value < _BIGGEST_INT:
        return "an int of more than 64 bits"
    return None if isinstance(value, (int, *_LEAVES)) else type(value).__name__


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
