"""``context.streams``: items by stream, group and id, which clients follow live."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Protocol

from motia_celery.context.calls import Call, Calls
from motia_celery.errors import ConfigError, UnknownStreamError

if TYPE_CHECKING:
    from motia_celery.model.told import Teller
    from motia_celery.stores.rule import Updated

_Item = dict[str, Any]
# In a class below `list` is a method.
_Items = list[_Item]
_Names = list[str]


class Items(Protocol):
    """The part of :class:`~motia_celery.stores.streams.StreamStore` that handlers use."""

    def telling(self, teller: Teller) -> Items:
        """The same streams; the changes that are made through it start whom the teller names."""

    async def get(self, stream: str, group: str, id: str) -> Any:
        """The item, or None."""

    async def set(self, stream: str, group: str, id: str, data: Any) -> Any:
        """Creates or replaces the item, and gives it."""

    async def update(
        self, stream: str, group: str, id: str, operations: Iterable[Mapping[str, Any]]
    ) -> Any:
        """Changes the item in one atomic step."""

    async def delete(self, stream: str, group: str, id: str) -> Any:
        """Removes the item, and gives it, or None."""

    async def get_group(self, stream: str, group: str) -> Any:
        """The items of the group, oldest first."""

    async def groups(self, stream: str) -> Any:
        """The names of the groups that hold items."""

    async def send(self, stream: str, group: str, id: str | None, event: Any) -> None:
        """Tells subscribers an event that is not stored."""


class Streams:
    """The app's streams: ``context.streams.chat``, or ``context.streams["chat"]``."""

    def __init__(self, names: frozenset[str], store: Items, calls: Calls) -> None:
        self._names = names
        self._store = store
        self._calls = calls

    def __getattr__(self, name: str) -> Stream:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Stream:
        if name not in self._names:
            raise _unknown(name, self._names)
        return Stream(name, self._store, self._calls)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __dir__(self) -> list[str]:
        return sorted(self._names)


class Stream:
    """One stream. Every call may be awaited; in a ``def`` handler it need not be.

    Items come back as dicts with their ``id`` and with Motia's marker ``__motia``, by which the
    Workbench knows what it may follow.
    """

    def __init__(self, name: str, store: Items, calls: Calls) -> None:
        self._name = name
        self._store = store
        self._calls = calls

    def get(self, group_id: str, id: str) -> Call[_Item | None]:
        """The item, or None."""
        return self._calls.start(self._get(group_id, id))

    def set(self, group_id: str, id: str, data: Any) -> Call[_Item | None]:
        """Creates or replaces the item, and gives it; ``None``, 0, false and ``""`` do nothing.

        Raises:
            StateValueError: the data is no JSON object.
        """
        return self._calls.start(self._set(group_id, id, data))

    def update(self, group_id: str, id: str, ops: Iterable[Mapping[str, Any]]) -> Call[Updated]:
        """Changes the item in one atomic step, and gives ``old_value`` and ``new_value``.

        ``ops`` are those of ``context.state.update``; an item that is not there is created.

        Raises:
            UpdateError: they do not fit the item, which stays as it is.
        """
        return self._calls.start(self._update(group_id, id, ops))

    def delete(self, group_id: str, id: str) -> Call[_Item | None]:
        """Removes the item, and gives what was there, or None."""
        return self._calls.start(self._delete(group_id, id))

    def get_group(self, group_id: str) -> Call[_Items]:
        """The items of the group, oldest first."""
        return self._calls.start(self._get_group(group_id))

    def list_groups(self) -> Call[_Names]:
        """The names of the groups that hold items."""
        return self._calls.start(self._store.groups(self._name))

    def send(self, channel: Mapping[str, Any], event: Mapping[str, Any]) -> Call[None]:
        """Sends ``{"type": …, "data": …}`` to whoever follows the channel; it is not stored.

        The channel is ``{"groupId": …}`` for a group, with ``"id"`` for an item as well.
        """
        return self._calls.start(self._send(channel, event))

    getGroup = get_group  # noqa: N815 - Motia's name
    listGroups = list_groups  # noqa: N815 - Motia 1.0's names
    list = get_group

    async def _get(self, group: str, id: str) -> Any:
        return self._marked(group, await self._store.get(self._name, group, id))

    async def _set(self, group: str, id: str, data: Any) -> Any:
        return self._marked(group, await self._store.set(self._name, group, id, data))

    async def _update(self, group: str, id: str, ops: Iterable[Mapping[str, Any]]) -> Any:
        result = await self._store.update(self._name, group, id, ops)
        return {
            "old_value": self._marked(group, result["old_value"]),
            "new_value": self._marked(group, result["new_value"]),
        }

    async def _delete(self, group: str, id: str) -> Any:
        return self._marked(group, await self._store.delete(self._name, group, id))

    async def _get_group(self, group: str) -> Any:
        items = await self._store.get_group(self._name, group)
        return [self._marked(group, item) for item in items]

    async def _send(self, channel: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        group = _member(channel, "groupId", "group_id")
        if group is None:
            raise ConfigError(
                f"send needs a channel with a groupId, not {channel!r}.",
                f"context.streams.{self._name}",
                'Write send({"groupId": …}, {"type": …, "data": …}).',
            )
        kind, data = _member(event, "type"), _member(event, "data")
        if not isinstance(kind, str):
            raise ConfigError(
                f"send needs an event with a type, not {event!r}.",
                f"context.streams.{self._name}",
                'Write send({"groupId": …}, {"type": …, "data": …}).',
            )
        told = {"type": kind, "data": data}
        await self._store.send(self._name, group, _member(channel, "id"), told)

    def _marked(self, group: str, item: Mapping[str, Any] | None) -> Any:
        if item is None:
            return None
        place = {"streamName": self._name, "groupId": str(group), "id": item["id"]}
        return {**item, "__motia": {"type": "state-stream", **place}}


def _member(value: Any, *names: str) -> Any:
    if not isinstance(value, Mapping):
        return None
    return next((value[name] for name in names if value.get(name) is not None), None)


def _unknown(name: object, names: frozenset[str]) -> UnknownStreamError:
    close = get_close_matches(str(name), sorted(names), n=1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    known = f"The streams are: {', '.join(sorted(names))}." if names else "The app has no streams."
    return UnknownStreamError(
        f"there is no stream named {name!r}.",
        "context.streams",
        f"{hint}{known} A file *_stream.py, *.stream.ts or *.stream.rb with a config declares one.",
    )
