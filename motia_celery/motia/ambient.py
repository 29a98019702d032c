"""What a handler uses without its context: it finds that of the run under way.

Every call may be awaited. One that is not gives its value, and waits for it: ``async def`` handlers
that use these names run on a loop that may wait (:mod:`motia_celery.runtime.beside`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType, ModuleType
from typing import Any, Generic, TypeVar

from motia_celery.context.calls import giving_values
from motia_celery.context.current import current_context
from motia_celery.context.request import B
from motia_celery.motia.awaited import is_awaited

T = TypeVar("T")

_Operations = Iterable[Mapping[str, Any]]


def enqueue(event: Mapping[str, Any] | None = None, **options: Any) -> Any:
    """Publishes an event, as ``context.emit`` does."""
    return _given(lambda: current_context().emit(event, **options))


class Logger:
    """The logger of the run under way."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(current_context().logger, name)


class StateManager:
    """Values by scope and key, as they are stored; ``set`` gives the old value and the new one."""

    def get(self, scope: str, key: str) -> Any:
        """The value, or None."""
        return _given(lambda: self._state.get(scope, key))

    def set(self, scope: str, key: str, value: Any) -> Any:
        """Stores the value, and gives ``old_value`` and ``new_value``."""
        return _given(lambda: self._state.update(scope, key, _replaced(value)))

    def update(self, scope: str, key: str, ops: _Operations) -> Any:
        """Changes the value in one atomic step, and gives ``old_value`` and ``new_value``."""
        return _given(lambda: self._state.update(scope, key, ops))

    def delete(self, scope: str, key: str) -> Any:
        """Removes the value, and gives what was there."""
        return _given(lambda: self._state.delete(scope, key))

    def list(self, scope: str) -> Any:
        """Every value of the scope."""
        return _given(lambda: self._state.get_group(scope))

    def list_groups(self) -> Any:
        """The names of the scopes that hold something."""
        return _given(lambda: self._state.list_groups())

    def clear(self, scope: str) -> Any:
        """Removes the whole scope."""
        return _given(lambda: self._state.clear(scope))

    get_group = getGroup = list  # noqa: N815 - Motia's names
    listGroups = list_groups  # noqa: N815

    @property
    def _state(self) -> Any:
        return current_context().state.plain


class Stream(Generic[B]):
    """A stream by its name, or by its config; ``set`` gives the old item and the new one."""

    def __init__(self, of: Any) -> None:
        self.config = of
        self.name = of if isinstance(of, str) else _name(of)

    def get(self, group_id: str, item_id: str) -> Any:
        """The item, or None."""
        return _given(lambda: self._stream.get(group_id, item_id))

    def set(self, group_id: str, item_id: str, data: Mapping[str, Any]) -> Any:
        """Creates or replaces the item, and gives ``old_value`` and ``new_value``."""
        return _given(lambda: self._stream.update(group_id, item_id, _replaced(data)))

    def update(self, group_id: str, item_id: str, ops: _Operations) -> Any:
        """Changes the item in one atomic step, and gives ``old_value`` and ``new_value``."""
        return _given(lambda: self._stream.update(group_id, item_id, ops))

    def delete(self, group_id: str, item_id: str) -> Any:
        """Removes the item, and gives what was there."""
        return _given(lambda: self._stream.delete(group_id, item_id))

    def list(self, group_id: str) -> Any:
        """The items of the group, oldest first."""
        return _given(lambda: self._stream.get_group(group_id))

    def list_groups(self) -> Any:
        """The names of the groups that hold items."""
        return _given(lambda: self._stream.list_groups())

    def send(self, channel: Mapping[str, Any], event: Mapping[str, Any]) -> Any:
        """Tells whoever follows the channel an event that is not stored."""
        return _given(lambda: self._stream.send(channel, event))

    get_group = getGroup = list  # noqa: N815 - Motia's names
    listGroups = list_groups  # noqa: N815

    @property
    def _stream(self) -> Any:
        return current_context().streams[self.name]


def uses_ambient(names: Mapping[str, Any]) -> bool:
    """Whether code with these globals may use any of this, itself or in what it imports."""
    return any(_is_ambient(value) or _leads_to_ambient(value) for value in [*names.values()])


def _is_ambient(value: Any) -> bool:
    # The type is asked and not the value, which may be a proxy that is of no use as yet.
    kind = type(value)
    if issubclass(kind, ModuleType):
        return vars(value).get("enqueue") is enqueue
    return value is enqueue or issubclass(kind, (StateManager, Stream))


def _leads_to_ambient(value: Any) -> bool:
    inside = vars(value) if issubclass(type(value), ModuleType) else None
    if issubclass(type(value), FunctionType):
        inside = value.__globals__
    return inside is not None and any(_is_ambient(one) for one in [*inside.values()])


def _given(call: Callable[[], Any]) -> Any:
    """The call for whoever awaits it, its value for others."""
    if is_awaited(sys._getframe(2)):
        return call()
    with giving_values():
        return call()


def _name(config: Any) -> str:
    return str(config["name"] if isinstance(config, Mapping) else config.name)


def _replaced(value: Any) -> list[dict[str, Any]]:
    return [{"type": "set", "path": "", "value": value}]


logger = Logger()
state_manager = StateManager()
