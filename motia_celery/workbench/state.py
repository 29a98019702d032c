"""State: its groups and values, to look through and to change."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query

from motia_celery.errors import FrameworkError, NotFoundError, RequestError
from motia_celery.stores.state import StateStore
from motia_celery.stores.state_changes import StateChange
from motia_celery.workbench.shapes.feed import StateMessage
from motia_celery.workbench.shapes.stores import (
    Deleted,
    JsonType,
    StateDelete,
    StateGroups,
    StateItem,
    StateItems,
    StateWrite,
)
from motia_celery.workbench.sources import From, Sources

router = APIRouter(prefix="/state", tags=["state"])

#: A larger value is left out of lists.
LIST_BYTES = 16 * 1024
#: A search through all groups ends after so many values.
SEARCHED = 20_000

Offset = Annotated[int, Query(ge=0, le=10_000_000)]
Limit = Annotated[int, Query(ge=1, le=1000)]
Text = Annotated[str, Query(max_length=500)]


@router.get("/groups")
async def get_state_groups(
    sources: From, text: Text = "", offset: Offset = 0, limit: Limit = 200
) -> StateGroups:
    """The names of the groups with the text in them."""
    found = [name for name in await sources.state.groups() if text.lower() in name.lower()]
    return StateGroups(groups=tuple(found[offset : offset + limit]), total=len(found))


@router.get("/items")
async def get_state_items(
    sources: From, group: str, text: Text = "", offset: Offset = 0, limit: Limit = 100
) -> StateItems:
    """The values of a group whose key or value holds the text."""
    found = await _group_items(sources, group, text)
    return StateItems(items=tuple(found[offset : offset + limit]), total=len(found))


@router.get("/search")
async def search_state(
    sources: From, text: Annotated[str, Query(min_length=1, max_length=500)], limit: Limit = 100
) -> StateItems:
    """Values of all groups whose group, key or value holds the text."""
    found: list[StateItem] = []
    searched = 0
    for group in await sources.state.groups():
        whole = text.lower() in group.lower()
        items = await _group_items(sources, group, "" if whole else text)
        searched += max(1, len(items))
        found.extend(items)
        if len(found) > limit or searched > SEARCHED:
            return StateItems(items=tuple(found[:limit]), total=len(found), partial=True)
    return StateItems(items=tuple(found), total=len(found))


@router.get("/value")
async def get_state_value(sources: From, group: str, key: str) -> StateItem:
    """One value, whole."""
    value = await sources.state.get(group, key)
    if value is None:
        raise NotFoundError(f"state {group!r} / {key!r} is not there.", "", "It may be deleted.")
    lives = await sources.state.lives(group)
    return state_item(group, key, value, lives.get(key), limit=math.inf)


@router.put("/value")
async def put_state_value(sources: From, write: StateWrite) -> StateItem:
    """Sets a value."""
    state, life = sources.state, write.ttl_seconds
    if write.create:
        made = await state.compare_and_set(
            write.group, write.key, None, write.value, ttl_seconds=life
        )
        if not made:
            raise RequestError("this key is there already.", "state", "Edit its value.")
    else:
        await state.set(write.group, write.key, write.value, ttl_seconds=life)
    return state_item(write.group, write.key, write.value, life, limit=math.inf)


@router.post("/delete")
async def delete_state(sources: From, request: StateDelete) -> Deleted:
    """Deletes keys, and whole groups."""
    deleted = 0
    for place in request.keys:
        deleted += await sources.state.delete(place.group, place.key) is not None
    for group in request.groups:
        await sources.state.clear(group)
        deleted += 1
    return Deleted(deleted=deleted)


async def state_messages(
    state: StateStore, changes: Sequence[StateChange]
) -> Sequence[StateMessage]:
    """The changes as the feed tells them, with what is there now."""
    groups = dict.fromkeys(change.group for change in changes if change.kind == "set")
    try:
        lives = {group: await state.lives(group) for group in groups}
        return await asyncio.gather(
            *(_message(state, change, lives.get(change.group, {})) for change in changes)
        )
    except FrameworkError:
        return [_bare(change) for change in changes]


async def _message(
    state: StateStore, change: StateChange, lives: Mapping[str, float]
) -> StateMessage:
    if change.kind != "set" or change.key is None:
        return _bare(change)
    value = await state.get(change.group, change.key)
    if value is None:  # deleted meanwhile
        return StateMessage(group=change.group, key=change.key, change="delete")
    item = state_item(change.group, change.key, value, lives.get(change.key))
    return StateMessage(group=change.group, key=change.key, change="set", item=item)


def _bare(change: StateChange) -> StateMessage:
    kind = "delete" if change.kind == "expire" else change.kind
    return StateMessage(group=change.group, key=change.key, change=kind)


async def _group_items(sources: Sources, group: str, text: str) -> list[StateItem]:
    items = await sources.state.items(group)
    lives = await sources.state.lives(group) if items else {}
    return [
        state_item(group, key, value, lives.get(key))
        for key, value in items.items()
        if not text or _holds(key, value, text.lower())
    ]


def _holds(key: str, value: Any, text: str) -> bool:
    return text in key.lower() or text in orjson.dumps(value).decode().lower()


def state_item(
    group: str, key: str, value: Any, life: float | None = None, *, limit: float = LIST_BYTES
) -> StateItem:
    """A value as it is shown; one of more bytes than ``limit`` is left out."""
    size = len(orjson.dumps(value))
    return StateItem(
        group=group,
        key=key,
        type=json_type(value),
        value=None if size > limit else value,
        truncated=size > limit,
        size_bytes=size,
        ttl_seconds=life,
    )


def json_type(value: Any) -> JsonType:
    """What kind of JSON a value is."""
    kinds: Iterable[tuple[type | tuple[type, ...], JsonType]] = (
        (bool, "boolean"),
        (str, "string"),
        ((int, float), "number"),
        (list, "array"),
        (dict, "object"),
    )
    return next((name for type_, name in kinds if isinstance(value, type_)), "null")
