"""Reading an arrival as the run to do, where it is an event as this framework sends them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from motia_celery.broker import wire
from motia_celery.broker.delivery import group_of
from motia_celery.broker.direct.frames import Arrival
from motia_celery.broker.queue import StepQueue
from motia_celery.broker.task import Delivered, run_of
from motia_celery.model.event import Event, run_id
from motia_celery.model.step import Step
from motia_celery.model.trace import TRACEPARENT, Trace
from motia_celery.observe.spans import AttemptWork

#: The headers of such events. One with any other is left to the careful path.
_KNOWN = frozenset(
    {
        TRACEPARENT,
        wire.TOPIC,
        wire.ROOT,
        wire.PARENT,
        wire.GROUP,
        wire.ATTEMPT,
        wire.RUN,
        wire.PREVIOUS,
        wire.DEPTH,
        wire.DELAYED,
        wire.BOOKED,
        wire.QUEUED,
        "x-delivery-count",
    }
)
_TEXTS = (TRACEPARENT, wire.TOPIC, wire.ROOT, wire.PARENT, wire.RUN, wire.PREVIOUS, wire.DEPTH)
_TEXT_LIMIT = 200


def read(arrival: Arrival, queue: StepQueue, step: Step) -> Delivered | None:
    """The run that an arrival asks for; None if it is anything but a plain event.

    What is None here is read by :meth:`StepQueue.adapt`, which knows every case.
    """
    properties = arrival.properties
    headers = properties.get("application_headers") or {}
    if not (
        headers.keys() <= _KNOWN
        and properties.get("content_type") == wire.CONTENT_TYPE
        and properties.get("content_encoding") == "utf-8"
        and len(arrival.body) <= queue.limit_bytes
        and (not queue.delay_seconds or wire.DELAYED in headers)
        and _are_texts(headers)
    ):
        return None
    topic, event_id = headers.get(wire.TOPIC), properties.get("message_id")
    if not topic or not event_id:
        return None
    try:
        data = orjson.loads(arrival.body)
    except orjson.JSONDecodeError:
        return None
    return _delivered(arrival, headers, queue, step, data)


def _delivered(
    arrival: Arrival, headers: Mapping[str, Any], queue: StepQueue, step: Step, data: Any
) -> Delivered:
    properties = arrival.properties
    sent_at, queued_at = properties.get("timestamp"), headers.get(wire.QUEUED)
    event_id, parent = properties["message_id"], Trace.read(headers)
    previous = headers.get(wire.PREVIOUS)
    identity = headers.get(wire.RUN) or run_id(event_id, queue.name)
    event = Event(
        topic=headers[wire.TOPIC],
        data=data,
        encoded=arrival.body,
        id=event_id,
        trace=parent or Trace.begin(headers),
        root_id=headers.get(wire.ROOT) or identity,
        parent_id=headers.get(wire.PARENT),
        group=group_of(dict(headers)),
        priority=properties.get("priority"),
        timestamp_ms=(sent_at or 0) * 1000,
        previous=Trace.from_header(previous) if previous else None,
        depth=wire.depth_of(headers),
    )
    trace = parent.child() if parent else event.trace
    due = queued_at or (sent_at or 0) * 1000 or None
    run = run_of(step, identity, event, trace, headers.get(wire.ATTEMPT, 1), due)
    return Delivered(
        event,
        AttemptWork(run, event, parent, queue.name, queued_at),
        sent_at=sent_at,
        booked=headers.get(wire.BOOKED) is True,
        redelivered=arrival.redelivered,
    )


def _are_texts(headers: Mapping[str, Any]) -> bool:
    for name in _TEXTS:
        value = headers.get(name)
        if value is not None and (type(value) is not str or not 0 < len(value) <= _TEXT_LIMIT):
            return False
    attempt, queued_at = headers.get(wire.ATTEMPT, 1), headers.get(wire.QUEUED, 0)
    return type(attempt) is int and attempt >= 1 and type(queued_at) is int and queued_at >= 0
