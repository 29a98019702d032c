"""``context.state``: values by group and key, shared by every Step and process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

from motia_celery.context.calls import Call, Calls

if TYPE_CHECKING:
    import asyncio

    from motia_celery.model.told import Teller
    from motia_celery.stores.rule import Updated

Wrap = Literal["both", "motia", "plain"]

# In the class below `list` is a method.
_Values = list[Any]
_Names = list[str]


class StateDict(dict[str, Any]):
    """A stored dict that also answers for itself under the key ``data``.

    Motia's Python state gives ``{"data": value}`` for some values and the value for others, and
    projects are written for either: ``v["field"]`` and ``v.get("data")["field"]`` both work here.
    """

    def __missing__(self, key: str) -> Any:
        if key == "data":
            return self._itself()
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return key == "data" or super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of ``key``; ``data`` gives the whole dict where it has no such key."""
        if super().__contains__(key):
            return super().__getitem__(key)
        return self._itself() if key == "data" else default

    def _itself(self) -> Any:
        return self


class Missing(StateDict):
    """Stands for a value that is not there: empty, so falsy, with None as its ``data``."""

    def _itself(self) -> Any:
        return None


def wrapped(value: Any, wrap: Wrap) -> Any:
    """A stored value in the form that handlers get it in."""
    if wrap == "plain":
        return value
    if value is None:
        return Missing() if wrap == "both" else {"data": None}
    if isinstance(value, dict) and "data" not in value:
        return StateDict(value) if wrap == "both" else {"data": value}
    return value


class Values(Protocol):
    """The part of :class:`~motia_celery.stores.state.StateStore` that handlers use."""

    def telling(self, teller: Teller) -> Values:
        """The same state; the changes that are made through it start whom the teller names."""

    async def get(self, group: str, key: str) -> Any:
        """The value, or None."""

    async def set(
        self, group: str, key: str, value: Any, *, ttl_seconds: float | None = None
    ) -> Any:
        """Keeps the value, and gives it back."""

    async def update(self, group: str, key: str, operations: Iterable[Mapping[str, Any]]) -> Any:
        """Changes the value in one atomic step."""

    async def compare_and_set(
        self, group: str, key: str, expected: Any, value: Any, *, ttl_seconds: float | None = None
    ) -> bool:
        """Keeps the value if ``expected`` is there."""

    async def delete(self, group: str, key: str) -> Any:
        """Removes the key, and gives what it held, or None."""

    async def get_group(self, group: str) -> Any:
        """The values of the group."""

    async def groups(self) -> Any:
        """The names of the groups that hold something."""

    async def clear(self, group: str) -> None:
        """Removes the group."""


class BeginState(Protocol):
    """Begins to read or to store a value at once; None where that takes a call of the store."""

    def get(self, group: str, key: str, form: Callable[[Any], Any]) -> asyncio.Future[Any] | None:
        """The value, or None, as ``form`` makes it."""

    def set(
        self,
        group: str,
        key: str,
        value: Any,
        ttl_seconds: float | None,
        stored: Callable[[], None] | None = None,
    ) -> asyncio.Future[Any] | None:
        """Keeps the value, and gives it back; ``stored`` is called once it is there."""


class State:
    """Values by group and key. Every call may be awaited; in a ``def`` handler it need not be."""

    def __init__(
        self,
        store: Values,
        calls: Calls,
        wrap: Wrap = "both",
        begin: BeginState | None = None,
    ) -> None:
        self._store = store
        self._calls = calls
        self._wrap = wrap
        self._begin = begin

    @property
    def plain(self) -> State:
        """The same state, which gives values as they are stored."""
        return State(self._store, self._calls, "plain", self._begin)

    def get(self, group_id: str, key: str) -> Call[Any]:
        """The value, or a falsy one where there is none."""
        # Without a task where it can be, which costs half as much.
        if self._begin is not None and self._calls.are_here():
            begun = self._begin.get(group_id, key, self._form)
            if begun is not None:
                return self._calls.follow(begun)
        return self._calls.start(self._get(group_id, key))

    def set(
        self, group_id: str, key: str, value: Any, *, ttl_seconds: float | None = None
    ) -> Call[Any]:
        """Stores a JSON value, and gives it back; with ``ttl_seconds`` it is gone after them."""
        if self._begin is not None and self._calls.are_here():
            begun = self._begin.set(group_id, key, value, ttl_seconds)
            if begun is not None:
                return self._calls.follow(begun)
        return self._calls.start(self._store.set(group_id, key, value, ttl_seconds=ttl_seconds))

    def update(self, group_id: str, key: str, ops: Iterable[Mapping[str, Any]]) -> Call[Updated]:
        """Changes the value in one atomic step, and gives ``old_value`` and ``new_value``.

        ``ops`` are Motia 1.0's: ``{"type": "increment", "path": "count", "by": 1}`` and the like.

        Raises:
            UpdateError: they do not fit the value, which stays as it is.
        """
        return self._calls.start(self._store.update(group_id, key, ops))

    def compare_and_set(
        self,
        group_id: str,
        key: str,
        expected: Any,
        value: Any,
        *,
        ttl_seconds: float | None = None,
    ) -> Call[bool]:
        """Stores the value if ``expected`` is there (None: nothing), and gives whether it was."""
        swap = self._store.compare_and_set
        return self._calls.start(swap(group_id, key, expected, value, ttl_seconds=ttl_seconds))

    def delete(self, group_id: str, key: str) -> Call[Any]:
        """Removes the value, and gives what was there."""
        return self._calls.start(self._store.delete(group_id, key))

    def get_group(self, group_id: str) -> Call[_Values]:
        """Every value of the group, as a list."""
        return self._calls.start(self._get_group(group_id))

    def clear(self, group_id: str) -> Call[None]:
        """Removes the whole group."""
        return self._calls.start(self._store.clear(group_id))

    def list_groups(self) -> Call[_Names]:
        """The names of the groups that hold something."""
        return self._calls.start(self._store.groups())

    getGroup = get_group  # noqa: N815 - Motia's name
    compareAndSet = compare_and_set  # noqa: N815
    listGroups = list_groups  # noqa: N815 - Motia 1.0's names
    list = get_group

    def _form(self, value: Any) -> Any:
        return wrapped(value, self._wrap)

    async def _get(self, group_id: str, key: str) -> Any:
        return wrapped(await self._store.get(group_id, key), self._wrap)

    async def _get_group(self, group_id: str) -> Any:
        return [wrapped(value, self._wrap) for value in await self._store.get_group(group_id)]
