"""A message of the dead-letter queue as a dead letter, whatever it holds, and its replay."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from motia_celery.broker.letter import LetterReader, RawMessage, replay_message
from motia_celery.model.event import run_id
from motia_celery.plan.topology import Names, QueuePlan

NAMES = Names("app")
READER = LetterReader(NAMES, 1_000, [QueuePlan(name="app.q.odd-1234", step="odd name")])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
KNOWN = st.sampled_from(
    [
        "task",
        "id",
        "x-death",
        "x-last-death-queue",
        "motia-error-type",
        "motia-queue",
        "motia-step",
        "motia-topic",
        "motia-run-id",
        "motia-event-id",
        "motia-attempt",
        "motia-died-at",
        "motia-content-type",
        "traceparent",
        "retries",
    ]
)
DEATHS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "queue": st.just("app.q.pay") | VALUES,
            "reason": st.sampled_from(["rejected", "expired", "delivery_limit"]) | VALUES,
            "exchange": VALUES,
            "routing-keys": VALUES,
            "time": VALUES,
        },
    ),
    max_size=2,
)


def raw(body=b"{}", headers=None, key="app.q.pay", **properties):
    return RawMessage(
        body,
        {"application_headers": headers or {}, "content_type": "application/json", **properties},
        {"exchange": "app.dlx", "routing_key": key},
    )


def died(reason, **more):
    death = {"queue": "app.q.pay", "reason": reason, "time": datetime(2030, 1, 1), "count": 1}
    return {"exchange": "app.events", "routing-keys": ["paid"], **death, **more}


@given(
    body=st.binary(max_size=50) | st.sampled_from([b"[[1],{},{}]", b"null", b"{}"]),
    headers=st.dictionaries(KNOWN, VALUES, max_size=6),
    deaths=st.none() | DEATHS,
    properties=st.dictionaries(
        st.sampled_from(["message_id", "content_type", "content_encoding", "timestamp"]), VALUES
    ),
)
def test_reading_never_fails(body, headers, deaths, properties):
    """And gives the same id each time, and what can be printed as JSON."""
    if deaths is not None:
        headers = {**headers, "x-death": deaths}
    first, second = (READER.read(raw(body, headers, **properties)) for _ in range(2))
    assert first.id
    assert first == second
    json.dumps(first.as_dict())


def test_a_poison_message_is_told_by_the_broker():
    letter = READER.read(raw(b'{"n":1}', {"x-death": [died("delivery_limit")]}, message_id="e"))
    assert (letter.reason, letter.step, letter.topic) == ("poison", "pay", "paid")
    assert letter.id == run_id("e", "app.q.pay")
    assert letter.died_at == datetime(2030, 1, 1, tzinfo=UTC)
    assert letter.attempts == 1


def test_the_last_death_counts():
    """Deaths in the queues that delay messages do not."""
    deaths = [
        died("expired", queue="celery_delayed_3"),
        died("expired"),
        died("delivery_limit", queue="app.q.ship"),
    ]
    assert READER.read(raw(headers={"x-death": deaths})).reason == "expired"
    last = {"x-last-death-queue": "app.q.ship", "x-last-death-reason": "delivery_limit"}
    letter = READER.read(raw(headers={"x-death": deaths, **last}))
    assert (letter.reason, letter.step) == ("poison", "ship")


def test_a_rejected_message_says_what_is_wrong_with_it():
    """The broker knows only that it was rejected; a worker would refuse it again, and says why."""
    deaths = {"x-death": [died("rejected")]}
    assert READER.read(raw(b"{oh no", deaths)).error.message.startswith("its body is not JSON")
    assert READER.read(raw(b'"' + b"x" * 2_000 + b'"', deaths)).reason == "oversized"
    assert READER.read(raw(b"[]", {**deaths, "task": "os.system"})).reason == "unknown task"
    assert READER.read(raw(b"{}", deaths)).reason == "rejected"


def test_a_step_of_an_altered_name_is_known_by_its_queue():
    assert READER.read(raw(key="app.q.odd-1234")).step == "odd name"
    assert READER.read(raw(key="app.q.gone")).step == "gone"
    assert READER.read(raw(key="elsewhere")).queue == ""


def test_a_task_that_celery_sent_is_the_data_of_its_handler():
    headers = {"task": "step:pay", "id": "i", "retries": 2, "x-death": [died("delivery_limit")]}
    letter = READER.read(raw(b'[[{"n":123456789012345678901}],{},{}]', headers))
    assert (letter.id, letter.attempts) == ("i", 3)
    assert letter.data == {"n": 123456789012345678901}


def test_a_replay_is_the_same_event_and_run_from_the_start():
    headers = {
        "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
        "tracestate": "vendor=1",
        "baggage": "user=ann",
        "motia-previous": "00-" + "a" * 32 + "-" + "c" * 16 + "-01",
        "motia-topic": "paid",
        "motia-root-id": "root",
        "motia-group": "g",
        "motia-attempt": 4,
        "motia-run-id": "run",
        "motia-error-type": "ValueError",
        "motia-error-traceback": "…",
        "motia-queue": "app.q.pay",
        "x-death": [died("expired")],
        "foreign": "x",
    }
    letter = READER.read(raw(b'{"n": 1}', headers, message_id="e", correlation_id="c", priority=7))
    message = replay_message(letter, letter.body, NAMES, amqp=True)
    assert (message.exchange, message.routing_key) == ("app.steps", "app.q.pay")
    assert message.mandatory
    assert message.body == b'{"n": 1}'
    sent = dict(message.headers)
    assert abs(sent.pop("motia-queued-at") / 1000 - time.time()) < 60
    assert sent == {
        "traceparent": headers["traceparent"],
        "tracestate": "vendor=1",
        "baggage": "user=ann",
        "motia-previous": headers["motia-previous"],
        "motia-topic": "paid",
        "motia-root-id": "root",
        "motia-group": "g",
        "motia-run-id": "run",
    }
    properties = dict(message.properties)
    assert abs(properties.pop("timestamp") - time.time()) < 60
    assert properties == {
        "priority": 7,
        "message_id": "e",
        "correlation_id": "c",
        "app_id": "motia-celery",
        "delivery_mode": 2,
    }
    on_redis = replay_message(letter, b"{}", NAMES, amqp=False)
    assert (on_redis.exchange, on_redis.routing_key, on_redis.body) == ("", "app.q.pay", b"{}")


def test_a_letter_from_a_partition_is_its_steps() -> None:
    letter = READER.read(raw(headers={"x-death": [died("rejected", queue="app.q.pay:3")]}))
    assert (letter.queue, letter.step) == ("app.q.pay", "pay")
