"""The message that travels: an event as plain JSON with a few headers, nothing of Celery's.

Any AMQP client can read it, and any can publish it: a bare JSON body is enough.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from motia_celery.errors import EventDataError, FrameworkError
from motia_celery.model.event import Event
from motia_celery.model.run import RunError

TOPIC: Final = "motia-topic"
ROOT: Final = "motia-root-id"
PARENT: Final = "motia-parent-id"
GROUP: Final = "motia-group"
ATTEMPT: Final = "motia-attempt"
EVENT: Final = "motia-event-id"
RUN: Final = "motia-run-id"
#: The message has waited for as long as its Step's ``delaySeconds`` say, or does so now.
DELAYED: Final = "motia-delayed"
#: The event's priority, as a run sees it; on the wire it is the property `priority`.
PRIORITY: Final = "motia-priority"
#: Epoch seconds of the emit, as a run sees them; on the wire it is the property `timestamp`.
SENT: Final = "motia-sent"
#: The data as it came, as a run sees it; on the wire it is the body.
BODY: Final = "motia-body"
#: The rate of its Step has let the message through: it waited for its turn.
BOOKED: Final = "motia-booked"
#: The message may be in its partition twice.
REDELIVERED: Final = "motia-redelivered"
#: The attempt before this one, as a `traceparent`; of a replay, the one that failed last.
PREVIOUS: Final = "motia-previous"
#: Epoch milliseconds from which on the message could be delivered, but for its queue.
QUEUED: Final = "motia-queued-at"
#: How many changes of state and streams led to the event, as text; absent where none did.
DEPTH: Final = "motia-depth"

ERROR_TYPE: Final = "motia-error-type"
ERROR_MESSAGE: Final = "motia-error-message"
ERROR_WHERE: Final = "motia-error-where"
TRACEBACK: Final = "motia-error-traceback"
STEP: Final = "motia-step"
QUEUE: Final = "motia-queue"
DIED_AT: Final = "motia-died-at"
#: What a refused message's were, on a broker where its copy is published as JSON.
CONTENT_TYPE_WAS: Final = "motia-content-type"
CONTENT_ENCODING_WAS: Final = "motia-content-encoding"

_DEPTH = re.compile("[0-9]{1,6}")

CONTENT_TYPE = "application/json"
APP_ID = "motia-celery"

#: Headers are cut to this many characters, so that no error text makes a frame too large.
_HEADER_LIMIT = 2_000
#: A traceback's end tells most. All headers together must fit one frame of 128 KiB.
_TRACEBACK_LIMIT = 8_000


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
        EventDataError: the data is not JSON, or larger than ``limit_bytes``.
    """
    body = event.body
    if len(body) > limit_bytes:
        raise EventDataError(
            f"the data has {len(body)} bytes; at most {limit_bytes} are accepted.",
            f"emit {event.topic!r}",
            "Store the large part and emit its key, or raise MOTIA_EVENT_LIMIT_BYTES.",
        )
    return body


def event_headers(event: Event, attempt: int = 1) -> dict[str, Any]:
    """The headers that tie the message to its trace and its cause."""
    headers: dict[str, Any] = {**place_headers(event), TOPIC: event.topic}
    if event.root_id:
        headers[ROOT] = event.root_id
    if event.parent_id:
        headers[PARENT] = event.parent_id
    if event.group:
        headers[GROUP] = event.group
    if event.depth:
        headers[DEPTH] = str(event.depth)
    if attempt > 1:
        headers[ATTEMPT] = attempt
    return headers


def depth_of(headers: Mapping[str, Any]) -> int:
    """How many changes led to an event, as its headers say."""
    told = headers.get(DEPTH)
    return int(told) if isinstance(told, str) and _DEPTH.fullmatch(told) else 0


def place_headers(event: Event) -> dict[str, str]:
    """The headers of where the event is in its trace."""
    previous = {PREVIOUS: event.previous.header} if event.previous else {}
    return {**event.trace.headers, **previous}


def queued_at(delay_seconds: float = 0) -> dict[str, int]:
    """The header of when a message begins to wait in its queue: now, or after a delay."""
    return {QUEUED: round((time.time() + delay_seconds) * 1000)}


def event_properties(event: Event) -> dict[str, Any]:
    """The standard AMQP properties; the message is persistent."""
    return {
        "message_id": event.id,
        "correlation_id": event.root_id or event.id,
        "timestamp": event.timestamp_ms // 1000,
        "app_id": APP_ID,
        "delivery_mode": 2,
        **({"priority": event.priority} if event.priority is not None else {}),
    }


def failure_headers(error: RunError, *, run_id: str, step: str, queue: str) -> dict[str, Any]:
    """What a dead letter says of its last failure, and when that was, in epoch milliseconds."""
    named = {
        ERROR_TYPE: error.type,
        ERROR_MESSAGE: error.message,
        ERROR_WHERE: error.where,
        RUN: run_id,
        STEP: step,
        QUEUE: queue,
        DIED_AT: int(time.time() * 1000),
    }
    headers = {
        name: _sendable(str(value)[:_HEADER_LIMIT]) for name, value in named.items() if value
    }
    if error.traceback:
        headers[TRACEBACK] = _sendable(error.traceback[-_TRACEBACK_LIMIT:])
    return headers


def refusal_headers(error: FrameworkError, queue: str) -> dict[str, Any]:
    """What the dead letter of a message that never was a run says of itself."""
    fault = RunError(type(error).__name__, error.what)
    return failure_headers(fault, run_id="", step="", queue=queue)


def _sendable(text: str) -> str:
    """The text without lone surrogates, which an error's words may hold and AMQP can not."""
    return text.encode(errors="replace").decode()
