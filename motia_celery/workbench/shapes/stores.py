"""State and streams."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from motia_celery.workbench.shapes.shape import Json, Language, Shape

JsonType = Literal["string", "number", "boolean", "object", "array", "null"]


class StateGroups(Shape):
    """A page of the groups' names; ``total`` counts all that match."""

    groups: tuple[str, ...]
    total: int


class StateItem(Shape):
    """A value with its key; one that is too large for a list is left out, and ``truncated``."""

    group: str
    key: str
    type: JsonType
    value: Json = None
    truncated: bool = False
    size_bytes: int
    ttl_seconds: float | None = None


class StateItems(Shape):
    """A page of values; ``total`` counts all that match, ``partial`` that not all were searched."""

    items: tuple[StateItem, ...]
    total: int
    partial: bool = False


class StateWrite(Shape):
    """A value to be set; null deletes the key. ``create`` refuses a key that is there."""

    group: str = Field(max_length=2000)
    key: str = Field(max_length=2000)
    value: Json
    ttl_seconds: float | None = Field(None, gt=0)
    create: bool = False


class StateKey(Shape):
    """The place of a value."""

    group: str
    key: str


class StateDelete(Shape):
    """Keys to delete, and groups to delete with all that they hold."""

    keys: tuple[StateKey, ...] = Field((), max_length=1000)
    groups: tuple[str, ...] = Field((), max_length=100)


class Deleted(Shape):
    """How many keys or items were there and are gone; groups count as one each."""

    deleted: int


class StreamView(Shape):
    """A declared stream."""

    name: str
    file: str
    language: Language
    item_schema: dict[str, Any] | None = None
    has_access_rule: bool = False


class StreamGroups(Shape):
    """A page of the names of a stream's groups."""

    groups: tuple[str, ...]
    total: int


class StreamItem(Shape):
    """An item of a stream."""

    id: str
    data: dict[str, Any]
    size_bytes: int
    truncated: bool = False


class StreamItems(Shape):
    """A page of a group's items, oldest first, as they were at ``version``."""

    items: tuple[StreamItem, ...]
    total: int
    version: int


class StreamWrite(Shape):
    """An item to create or replace."""

    stream: str
    group: str = Field(min_length=1, max_length=2000)
    id: str = Field(min_length=1, max_length=2000)
    data: dict[str, Any]


class StreamDelete(Shape):
    """Items to delete; without ids the whole group."""

    stream: str
    group: str
    ids: tuple[str, ...] | None = Field(None, max_length=1000)
