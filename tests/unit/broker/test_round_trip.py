"""From an emit to the run that it starts, and to its retry: an event stays as it was."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from kombu.serialization import loads

from motia_celery.broker import wire
from motia_celery.broker.delivery import EVENT_TASK
from motia_celery.broker.queue import step_queue
from motia_celery.model.event import Event, run_id
from motia_celery.model.topic import MAX_TOPIC_BYTES
from motia_celery.model.trace import TRACEPARENT
from motia_celery.plan.topology import Names, QueuePlan

NAMES = Names("app")
PLAN = QueuePlan(name="app.q.pay", step="pay", topics=("#",))

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
#: What AMQP carries as a short string.
SHORT = st.text(min_size=1, max_size=60)
TOPICS = SHORT.filter(lambda topic: len(topic.encode()) <= MAX_TOPIC_BYTES)
EVENTS = st.builds(
    Event,
    topic=TOPICS,
    data=JSON,
    id=SHORT,
    root_id=st.none() | SHORT,
    parent_id=st.none() | SHORT,
    group=st.none() | SHORT,
)


def delivered(event: Event, attempt: int, exchange: str, key: str, **headers: Any) -> Any:
    """The event as a worker's channel gives it."""
    raw = SimpleNamespace(
        body=wire.event_body(event, 10**6),
        properties={
            **wire.event_properties(event),
            "application_headers": wire.event_headers(event, attempt) | headers,
            "content_type": wire.CONTENT_TYPE,
            "content_encoding": "utf-8",
        },
        delivery_info={"exchange": exchange, "routing_key": key, "delivery_tag": 1},
        delivery_tag=1,
    )
    step_queue(PLAN, NAMES, amqp=True, prefetch=1, limit_bytes=10**6).adapt(raw)
    return raw


def data_of(raw: Any) -> Any:
    """What Celery reads from a rewritten delivery."""
    assert raw.properties["content_type"] == EVENT_TASK
    args, kwargs, _ = loads(raw.body, EVENT_TASK, "utf-8", accept=[EVENT_TASK])
    assert (len(args), kwargs) == (1, {})
    return args[0]


@given(EVENTS)
def test_an_event_reaches_its_run_as_it_was_emitted(event: Event) -> None:
    raw = delivered(event, 1, NAMES.events, event.topic)
    headers = raw.properties["application_headers"]
    assert data_of(raw) == event.data
    assert json.dumps(data_of(raw)) == json.dumps(event.data)  # 1 stays 1, and 1.0 stays 1.0
    assert headers["id"] == run_id(event.id, PLAN.name)
    assert headers["retries"] == 0
    assert headers[wire.TOPIC] == event.topic
    assert headers[wire.EVENT] == event.id
    assert headers[TRACEPARENT] == event.trace.header
    assert headers[wire.SENT] == event.timestamp_ms // 1000
    assert (headers.get(wire.PARENT), headers.get(wire.GROUP)) == (event.parent_id, event.group)


@given(EVENTS, st.integers(2, 1000))
def test_a_retry_is_the_same_run_of_the_same_event(event: Event, attempt: int) -> None:
    first = delivered(event, 1, NAMES.events, event.topic).properties["application_headers"]
    again = delivered(event, attempt, NAMES.steps, PLAN.name, **{wire.RUN: first["id"]})
    headers = again.properties["application_headers"]
    assert data_of(again) == event.data
    assert headers["retries"] == attempt - 1
    same = ("id", wire.TOPIC, wire.EVENT, TRACEPARENT, wire.SENT, "root_id")
    assert {name: headers[name] for name in same} == {name: first[name] for name in same}
