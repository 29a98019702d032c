"""Reading an arrival as the run to do, where it is an event as this framework sends them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from motia_celery.broker import wire
from motia_celery.broker.direct.frames import Arrival
from motia_celery.broker.queue import StepQueue, group_of
from motia_celery.broker.task import Delivered
from motia_celery.model.event import Event, run_id
from motia_celery.model.run import Run
from motia_celery.model.step import Step
from motia_celery.model.trace import Trace

#: The headers of such events. One with any other is left to the careful path.
_KNOWN = frozenset(
    {
        wire.TRACEPARENT,
        wire.TOPIC,
        wire.ROOT,
        wire.PARENT,
        wire.GROUP,
        wire.ATTEMPT,
        wire.RUN,
        wire.DELAYED,
        wire.BOOKED,
        "x-delivery-count",
    }
)
_TEXTS = (wire.TRACEPARENT, wire.TOPIC, wire.ROOT, wire.PARENT, wire.RUN)
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
    sent_at = properties.get("timestamp")
    event_id, topic = properties["message_id"], headers[wire.TOPIC]
    identity = headers.get(wire.RUN) or run_id(event_id, queue.name)
    event = Event(
        topic=topic,
        data=data,
        id=event_id,
        trace=Trace.from_header(headers.get(wire.TRACEPARENT)) or Trace.start(),
        root_id=headers.get(wire.ROOT) or identity,
        parent_id=headers.get(wire.PARENT),
        group=group_of(dict(headers)),
        priority=properties.get("priority"),
        timestamp_ms=(sent_at or 0) * 1000,
    )
    run = Run(
        id=identity,
        step=step.name,
        trigger="event",
        input=data,
        trace=event.trace.child(),
        flows=step.flows,
        topic=topic,
        group=event.group,
        root_id=event.root_id,
        attempt=headers.get(wire.ATTEMPT, 1),
        max_attempts=step.retry.max_attempts,
    )
    return Delivered(
        run=run,
        event=event,
        sent_at=sent_at,
        booked=headers.get(wire.BOOKED) is True,
        redelivered=arrival.redelivered,
    )


def _are_texts(headers: Mapping[str, Any]) -> bool:
    for name in _TEXTS:
        value = headers.get(name)
        if value is not None and (type(value) is not str or not 0 < len(value) <= _TEXT_LIMIT):
            return False
    attempt = headers.get(wire.ATTEMPT, 1)
    return type(attempt) is int and attempt >= 1
