"""What handlers of Motia 1.0 name in their annotations, and the responses that they return."""

from __future__ import annotations

from collections.abc import Mapping
from types import GenericAlias
from typing import Any, TypeVar

from motia_celery.context import Context
from motia_celery.context.request import Request

ApiRequest = Request
B = TypeVar("B")


class MotiaHttpArgs(Request[B]):
    """The request, for annotations; its ``request`` is the request itself, its ``response`` what
    a handler writes to that does not return one.
    """


class FlowContext(Context):
    """The context, for annotations: ``FlowContext[Any]`` is the same."""

    def __class_getitem__(cls, _: Any) -> GenericAlias:
        return GenericAlias(cls, ())


class ApiResponse(dict[str, Any]):
    """A response: a dict whose keys are attributes as well."""

    def __init__(
        self,
        status: int = 200,
        body: Any = None,
        headers: Mapping[str, Any] | None = None,
        *,
        status_code: int | None = None,
    ) -> None:
        super().__init__(status=status_code or status, body=body)
        if headers is not None:
            self["headers"] = headers

    def __getattr__(self, name: str) -> Any:
        try:
            return self["status" if name == "status_code" else name]
        except KeyError:
            raise AttributeError(name) from None


class StateTriggerInput(dict[str, Any]):
    """The input of a run that a change of state started; there are none yet."""


class StreamTriggerInput(dict[str, Any]):
    """The input of a run that a change of a stream started; there are none yet."""
