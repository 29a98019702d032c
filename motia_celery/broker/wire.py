"""The message that travels: an event as plain JSON with a few headers, nothing of Celery's.

Any AMQP client can read it, and any can publish it: a bare JSON body is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from motia_celery.errors import EmitError
from motia_celery.model.event import Event
from motia_celery.model.run import RunError

TOPIC: Final = "motia-topic"
ROOT: Final = "motia-root-id"
PARENT: Final = "motia-parent-id"
GROUP: Final = "motia-group"
ATTEMPT: Final = "motia-attempt"
EVENT: Final = "motia-event-id"
RUN: Final = "motia-run-id"
#: The message may be in its partition twice.
REDELIVERED: Final = "motia-redelivered"
TRACEPARENT: Final = "traceparent"

CONTENT_TYPE = "application/json"
APP_ID = "motia-celery"

#: Headers are cut to this many characters, so that no error text makes a frame too large.
_HEADER_LIMIT = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to publish. ``mandatory`` asks the broker to refuse it if no queue takes it.

    Its content type and encoding are those of an event, but for a message that is passed on.
    """

    exchange: str
    routing_key: str
    body: bytes
    headers: Mapping[str, Any]
    properties: Mapping[str, Any]
    mandatory: bool = False
    delay_seconds: float = field(default=0)
    content_type: str | None = CONTENT_TYPE
    content_encoding: str | None = "utf-8"


def event_body(event: Event, limit_bytes: int) -> bytes:
    """The event's data as JSON.

    Raises:
        EmitError: the data is not JSON, or larger than ``limit_bytes``.
    """
    try:
        body = orjson.dumps(event.data, option=orjson.OPT_NON_STR_KEYS)
    except TypeError as error:
        raise EmitError(
            f"the data can not be sent as JSON ({error}).",
            f"emit {event.topic!r}",
            "Emit dicts, lists, strings, numbers, booleans and None; dates as ISO strings.",
        ) from error
    if len(body) > limit_bytes:
        raise EmitError(
            f"the data has {len(body)} bytes; at most {limit_bytes} are accepted.",
            f"emit {event.topic!r}",
            "Store the large part and emit its key, or raise MOTIA_EVENT_LIMIT_BYTES.",
        )
    return body


def event_headers(event: Event, attempt: int = 1) -> dict[str, Any]:
    """The headers that tie the message to its trace and its cause."""
    headers: dict[str, Any] = {TRACEPARENT: event.trace.header, TOPIC: event.topic}
    if event.root_id:
        headers[ROOT] = event.root_id
    if event.parent_id:
        headers[PARENT] = event.parent_id
    if event.group:
        headers[GROUP] = event.group
    if attempt > 1:
        headers[ATTEMPT] = attempt
    return headers


def event_properties(event: Event) -> dict[str, Any]:
    """The standard AMQP properties; the message is persistent."""
    return {
        "message_id": event.id,
        "correlation_id": event.root_id or event.id,
        "timestamp": event.timestamp_ms // 1000,
        "app_id": APP_ID,
        "delivery_mode": 2,
    }


def failure_headers(error: RunError, *, run_id: str, step: str, queue: str) -> dict[str, Any]:
    """What a dead letter says of its last failure."""
    named = {
        "motia-error-type": error.type,
        "motia-error-message": error.message,
        "motia-error-where": error.where,
        RUN: run_id,
        "motia-step": step,
        "motia-queue": queue,
    }
    return {name: str(value)[:_HEADER_LIMIT] for name, value in named.items() if value}
