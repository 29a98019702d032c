"""The context of the run that is under way, for code that is not given it.

It follows a handler into what it calls and into the tasks that it starts; a thread has it where the
handler itself runs there.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from motia_celery.errors import ConfigError

if TYPE_CHECKING:
    from motia_celery.context.context import Context

_current: ContextVar[Context] = ContextVar("motia_celery_context")


class current:  # noqa: N801 - used as `with current(context):`
    """Makes the context that of the run under way."""

    __slots__ = ("_context", "_token")

    def __init__(self, context: Context) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._token = _current.set(self._context)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def current_context() -> Context:
    """The context of the run under way.

    Raises:
        ConfigError: no handler runs here.
    """
    try:
        return _current.get()
    except LookupError:
        raise ConfigError(
            "this is used outside of a handler, where there is no run.",
            "motia",
            "Use it in a handler, or in what a handler calls.",
        ) from None
