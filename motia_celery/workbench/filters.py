"""The filters of Motia's state endpoint: what must be true of a value's members."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from motia_celery.errors import RequestError

Operation = Literal[
    "eq",
    "neq",
    "gt",
    "gte",
    "lt",
    "lte",
    "contains",
    "notContains",
    "startsWith",
    "endsWith",
    "isNotNull",
    "isNull",
]

_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_OF_TEXT: dict[str, Callable[[str, str], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "contains": lambda held, wanted: wanted in held,
    "notContains": lambda held, wanted: wanted not in held,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
}


class Filter(BaseModel):
    """One condition on the member ``valueKey`` of a value."""

    model_config = ConfigDict(frozen=True)

    valueKey: str  # noqa: N815 - Motia's name
    operation: Operation
    value: Any = ""

    def passes(self, value: Any) -> bool:
        """Whether it is true of the value; one without members has none of that name."""
        held = value.get(self.valueKey) if isinstance(value, dict) else None
        if self.operation in ("isNull", "isNotNull"):
            return (held is None) == (self.operation == "isNull")
        if self.operation in _ORDERED:
            return held is not None and _ORDERED[self.operation](*_comparable(held, self.value))
        if held is None:
            return self.operation in ("neq", "notContains")
        return _OF_TEXT[self.operation](_text(held), _text(self.value))


_FILTERS = TypeAdapter(tuple[Filter, ...])


def parse_filters(text: str | None) -> tuple[Filter, ...]:
    """The filters of a query parameter.

    Raises:
        RequestError: it is no list of filters.
    """
    if not text:
        return ()
    try:
        return _FILTERS.validate_json(text)
    except ValidationError as error:
        raise RequestError(f"filter: {error.errors()[0]['msg']}") from None


def _comparable(held: Any, wanted: Any) -> tuple[Any, Any]:
    """Both as numbers where both are some, else both as text."""
    try:
        return float(held), float(wanted)
    except (TypeError, ValueError):
        return _text(held), _text(wanted)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
