"""What a handler wants as its input, as its annotation says: an instance of a pydantic model.

``data: Order`` gets the event's data as an ``Order``; ``req: Request[Order]`` a request whose body
is one. A handler that names no model gets what JSON gives.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any, get_args, get_origin, get_type_hints

from motia_celery.context.request import Request
from motia_celery.errors import InputMismatchError

_MOST_FAULTS = 10


@dataclass(frozen=True)
class Wanted:
    """A type that the input is to become; ``in_body`` of a request, or of an event's data."""

    annotation: Any
    in_body: bool

    @property
    def schema(self) -> dict[str, Any]:
        """The type as JSON Schema.

        Raises:
            PydanticUserError: the type has none.
        """
        schema: dict[str, Any] = self._adapter.json_schema()
        return schema

    def fitted(self, given: Any) -> Any:
        """The input as the handler wants it.

        Raises:
            InputMismatchError: it does not fit.
        """
        if not self.in_body:
            return self._instance(given)
        request = Request(
            given,
            method=given.method,
            path=given.path,
            raw_bytes=given.raw_bytes,
            reply=given.reply,
        )  # middleware keeps the body as it came
        request["body"] = self._instance(given["body"])
        return request

    def _instance(self, value: Any) -> Any:
        from pydantic import ValidationError

        try:
            return self._adapter.validate_python(value)
        except ValidationError as error:
            raise InputMismatchError(_told(error), "", "Correct the data or the model.") from None

    @cached_property
    def _adapter(self) -> Any:
        from pydantic import TypeAdapter

        return TypeAdapter(self.annotation)


def wanted_as(schema: Any) -> Wanted | None:
    """The model that stands in a config as the schema of events, if it is one."""
    return Wanted(schema, in_body=False) if _has_model(schema) else None


def wanted_by(handler: Callable[..., Any]) -> Wanted | None:
    """What the handler's first argument is annotated with, if that holds a pydantic model."""
    annotation = first_annotation(handler)
    origin = get_origin(annotation)
    if isinstance(origin, type) and issubclass(origin, Request):
        (body,) = get_args(annotation)
        return Wanted(body, in_body=True) if _has_model(body) else None
    return Wanted(annotation, in_body=False) if _has_model(annotation) else None


def first_annotation(handler: Callable[..., Any]) -> Any:
    """What the handler's first argument is annotated with, or None."""
    if inspect.isfunction(handler) and not handler.__annotations__ and not _is_around(handler):
        return None  # to take the signature of a thousand of them takes a tenth of a second
    try:
        first = next(iter(inspect.signature(handler).parameters.values()))
    except (TypeError, ValueError, NameError, StopIteration):
        return None
    if not isinstance(first.annotation, str):
        return first.annotation
    # Alone: another argument's type may be imported for type checkers only.
    lone = SimpleNamespace(__annotations__={"input": first.annotation})
    try:
        return get_type_hints(lone, globalns=getattr(handler, "__globals__", {}))["input"]
    except Exception:  # whatever evaluating it raises
        return None


def _is_around(handler: Any) -> bool:
    return hasattr(handler, "__wrapped__") or hasattr(handler, "__signature__")


def _has_model(annotation: Any) -> bool:
    pydantic = sys.modules.get("pydantic")
    if pydantic is None:  # then nothing can be one of its models
        return False
    if isinstance(annotation, type) and not get_args(annotation):
        return issubclass(annotation, pydantic.BaseModel)
    return any(_has_model(part) for part in get_args(annotation))


def _told(error: Any) -> str:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    told = (
        f"{'/'.join(map(str, fault['loc'])) or 'data'}: {fault['msg']}"
        for fault in faults[:_MOST_FAULTS]
    )
    return f"it does not fit what the handler wants ({'; '.join(told)})."
