"""Streams: their groups and items, to look through and to change."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter

from motia_celery.errors import NotFoundError, RequestError
from motia_celery.workbench.shapes.stores import (
    Deleted,
    StreamDelete,
    StreamGroups,
    StreamItem,
    StreamItems,
    StreamView,
    StreamWrite,
)
from motia_celery.workbench.sources import From, Sources
from motia_celery.workbench.state import Limit, Offset, Text

router = APIRouter(prefix="/streams", tags=["streams"])

#: A larger item is left out of lists and of the live feed.
ITEM_BYTES = 64 * 1024


@router.get("")
async def get_streams(sources: From) -> list[StreamView]:
    """Every stream of the project."""
    return [
        StreamView(
            name=stream.name,
            file=stream.file,
            language=stream.language,
            item_schema=None if stream.schema is None else dict(stream.schema),
            has_access_rule=stream.has_access_rule,
        )
        for stream in sources.plan.streams
    ]


@router.get("/groups")
async def get_stream_groups(
    sources: From, stream: str, text: Text = "", offset: Offset = 0, limit: Limit = 200
) -> StreamGroups:
    """The names of a stream's groups with the text in them."""
    require_stream(sources, stream)
    names = await sources.streams.groups(stream)
    found = [name for name in names if text.lower() in name.lower()]
    return StreamGroups(groups=tuple(found[offset : offset + limit]), total=len(found))


@router.get("/items")
async def get_stream_items(
    sources: From,
    stream: str,
    group: str,
    text: Text = "",
    offset: Offset = 0,
    limit: Limit = 100,
) -> StreamItems:
    """The items of a group with the text in them, oldest first."""
    require_stream(sources, stream)
    snapshot = await sources.streams.snapshot(stream, group)
    found = [item for item in snapshot.data or () if not text or _holds(item, text.lower())]
    page = found[offset : offset + limit]
    return StreamItems(
        items=tuple(stream_item(item) for item in page), total=len(found), version=snapshot.version
    )


@router.get("/item")
async def get_stream_item(sources: From, stream: str, group: str, id: str) -> StreamItem:
    """One item, whole."""
    require_stream(sources, stream)
    item = await sources.streams.get(stream, group, id)
    if item is None:
        raise NotFoundError(f"the item {id!r} is not there.", "", "It may be deleted.")
    return stream_item(item, whole=True)


@router.put("/item")
async def put_stream_item(sources: From, write: StreamWrite) -> StreamItem:
    """Creates or replaces an item; everyone who follows it is told."""
    require_stream(sources, write.stream)
    item = await sources.streams.set(write.stream, write.group, write.id, write.data)
    if item is None:
        raise RequestError("nothing was set.", "stream", "Give an object.")
    return stream_item(item, whole=True)


@router.post("/delete")
async def delete_stream_items(sources: From, request: StreamDelete) -> Deleted:
    """Deletes items, or a whole group."""
    require_stream(sources, request.stream)
    if request.ids is None:
        await sources.streams.clear(request.stream, request.group)
        return Deleted(deleted=1)
    gone = [await sources.streams.delete(request.stream, request.group, id) for id in request.ids]
    return Deleted(deleted=sum(item is not None for item in gone))


def require_stream(sources: Sources, name: str) -> None:
    """Returns if the project has the stream.

    Raises:
        NotFoundError: it has not.
    """
    if all(stream.name != name for stream in sources.plan.streams):
        raise NotFoundError(f"no stream is named {name!r}.", "", "A stream file declares one.")


def stream_item(item: dict[str, Any], *, whole: bool = False) -> StreamItem:
    """An item as it is shown."""
    size = len(orjson.dumps(item))
    cut = size > ITEM_BYTES and not whole
    return StreamItem(
        id=str(item.get("id", "")), data={} if cut else item, size_bytes=size, truncated=cut
    )


def _holds(item: dict[str, Any], text: str) -> bool:
    return text in orjson.dumps(item).decode().lower()
