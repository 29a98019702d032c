"""The live feed: one stream of server-sent events for everything that a page shows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, get_args

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from motia_celery.workbench.hub import Hub, Listener, Told
from motia_celery.workbench.shapes.feed import FeedMessage, Want
from motia_celery.workbench.sources import From

router = APIRouter(tags=["feed"])

#: Routers cut connections on which nothing is said for long.
HEARTBEAT_SECONDS = 15.0

_WANTS: tuple[Want, ...] = get_args(Want)
_HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


class EventStream(StreamingResponse):
    """A response of server-sent events."""

    media_type = "text/event-stream"


@router.get(
    "/feed",
    response_class=EventStream,
    responses={200: {"model": FeedMessage, "description": "Each event's data is one message."}},
)
async def get_feed(
    sources: From,
    want: Annotated[tuple[Want, ...], Query(description="Without any, everything.")] = (),
    last_event_id: Annotated[str | None, Header()] = None,
    last: Annotated[str | None, Query(description="The same, for who can set no header.")] = None,
) -> EventStream:
    """What changes, as it changes; it goes on until the client leaves."""
    listener = sources.hub.join(want or _WANTS, last_event_id or last)
    return EventStream(_events(sources.hub, listener), headers=_HEADERS)


async def _events(hub: Hub, listener: Listener) -> AsyncIterator[bytes]:
    try:
        yield b"retry: 1000\n\n"
        while not listener.is_over:
            told = await listener.next(HEARTBEAT_SECONDS)
            yield b": \n\n" if told is None else _event(hub, told)
    finally:
        hub.leave(listener)


def _event(hub: Hub, told: Told) -> bytes:
    number, message = told
    return f"id: {hub.event_id(number)}\ndata: {message.model_dump_json()}\n\n".encode()
