"""Events: one publish reaches every Step that subscribed, on RabbitMQ and on Redis."""

from __future__ import annotations

import json
import time

import pika
import pytest
from integration.apps import Project, wait_until

from motia_celery.model.event import run_id

#: A Redis broker has no clients but our own.
on_rabbitmq = pytest.mark.parametrize("shared", ["rabbitmq"], indirect=True)

FANNED = ("fan-one", "fan-two", "fan-three")


def test_one_emit_starts_each_subscriber_once(app: Project, token: str) -> None:
    """One event is one run on each queue, and no more."""
    event = app.emit("fan.out", {"token": token})
    runs = [app.wait_for(step, token=token) for step in FANNED]
    time.sleep(0.5)
    assert [len(app.notes(step, token=token)) for step in FANNED] == [2, 2, 2]  # begun and done
    assert [run[0]["run"] for run in runs] == [run_id(event.id, app.queue(s)) for s in FANNED]


def test_subscribers_share_the_trace_and_the_topic(app: Project, token: str) -> None:
    event = app.emit("fan.out", {"token": token})
    for step in FANNED:
        (line,) = app.wait_for(step, token=token)
        assert (line["topic"], line["trace"]) == ("fan.out", event.trace.trace_id)


def test_each_subscriber_has_its_own_retries(app: Project, token: str) -> None:
    """A retry goes to the Step that failed; the others run once."""
    app.emit("fan.out", {"token": token, "fails": {"fan-two": 1, "fan-three": 2}})
    app.wait_for("fan-three", token=token)
    attempts = {s: [n["attempt"] for n in app.notes(s, "begun", token)] for s in FANNED}
    assert attempts == {"fan-one": [1], "fan-two": [1, 2], "fan-three": [1, 2, 3]}


def test_a_star_stands_for_one_word_and_a_hash_for_any(app: Project, token: str) -> None:
    for topic in ("order", "order.paid", "order.paid.late", "orders.paid"):
        app.emit(topic, {"token": token})
    app.wait_for("any-words", 3, token=token)
    app.wait_for("one-word", 1, token=token)
    time.sleep(0.5)
    heard = {
        s: {n["topic"] for n in app.notes(s, "done", token)} for s in ("one-word", "any-words")
    }
    assert heard == {
        "one-word": {"order.paid"},
        "any-words": {"order", "order.paid", "order.paid.late"},
    }


def test_a_topic_that_nobody_hears_is_dropped(app: Project, token: str) -> None:
    """It is no error, and the events around it are not touched."""
    app.emit("nobody.hears.this", {"token": token})
    app.emit("created", {"token": token})
    app.wait_for("exact", token=token)
    assert app.take(app.names.dead_letter_queue) == []


def test_a_topic_is_not_heard_by_its_last_word(app: Project, token: str) -> None:
    """Native delay must never bind ``#.created`` on the events exchange."""
    app.emit("user.created", {"token": token})
    app.emit("created", {"token": token})
    app.wait_for("exact", token=token)
    time.sleep(0.5)
    assert [n["topic"] for n in app.notes("exact", "done", token)] == ["created"]


def test_a_handler_in_a_thread_runs_and_is_retried(app: Project, token: str) -> None:
    app.emit("sync", {"token": token, "fails": {"sync": 1}})
    (line,) = app.wait_for("sync", token=token)
    assert line["attempt"] == 2


def test_an_emit_continues_the_trace(app: Project, token: str) -> None:
    event = app.emit("starts", {"token": token, "emits": ["middle"]})
    (line,) = app.wait_for("middle", token=token)
    assert line["trace"] == event.trace.trace_id
    assert line["data"] == {"from": "starts", "token": token}


def test_an_undeclared_emit_is_dropped_and_the_run_goes_on(app: Project, token: str) -> None:
    app.emit("starts", {"token": token, "emits": ["created", "middle"]})
    app.wait_for("middle", token=token)
    app.wait_for("starts", token=token)
    assert app.notes("exact", token=token) == []


def test_a_name_that_is_no_queue_name_works(app: Project, token: str) -> None:
    app.emit("weird", {"token": token})
    assert len(app.wait_for("named Ä/weird", token=token)) == 1


DATA = [
    None,
    0,
    "text",
    [1, 2.5],
    {"ü": "😀", "n": 12345678901234567890},
    {"__type__": "datetime", "__value__": "yesterday"},
]


@pytest.mark.parametrize("data", DATA, ids=str)
def test_data_arrives_as_it_was_sent(app: Project, data: object) -> None:
    event = app.emit("other", data)
    mine = run_id(event.id, app.queue("other"))
    wait_until(lambda: any(n["run"] == mine for n in app.notes("other", "done")), "the run")
    (line,) = [n for n in app.notes("other", "done") if n["run"] == mine]
    assert line["data"] == data


class Foreign:
    """Another AMQP client, which knows nothing of ours."""

    def __init__(self, app: Project) -> None:
        self._parameters = pika.URLParameters(app.settings().broker)
        self._exchange = app.names.events

    def publish(self, topic: str, body: bytes, properties: pika.BasicProperties | None) -> None:
        connection = pika.BlockingConnection(self._parameters)
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish(self._exchange, topic, body, properties)
        connection.close()


@pytest.fixture
def foreign(app: Project) -> Foreign:
    return Foreign(app)


@on_rabbitmq
@pytest.mark.parametrize(
    "properties",
    [
        None,
        pika.BasicProperties(message_id="order-4711"),
        pika.BasicProperties(content_type="application/json", content_encoding="utf-8"),
        pika.BasicProperties(headers={"x-their-own": 1, "nested": {"a": [1, None]}}),
        pika.BasicProperties(timestamp=1_700_000_000, app_id="billing", correlation_id="c"),
    ],
    ids=["bare", "message-id", "content-type", "headers", "properties"],
)
def test_plain_json_of_another_client_starts_steps(
    app: Project, foreign: Foreign, token: str, properties: pika.BasicProperties | None
) -> None:
    """Its routing key is the topic."""
    foreign.publish("order.shipped", json.dumps({"token": token}).encode(), properties)
    for step in ("one-word", "any-words"):
        (line,) = app.wait_for(step, token=token)
        assert line["topic"] == "order.shipped"


@on_rabbitmq
def test_a_message_id_of_another_client_decides_the_run(
    app: Project, foreign: Foreign, token: str
) -> None:
    identity = f"theirs-{token}"
    body = json.dumps({"token": token}).encode()
    foreign.publish("created", body, pika.BasicProperties(message_id=identity))
    (line,) = app.wait_for("exact", token=token)
    assert line["run"] == run_id(identity, app.queue("exact"))


@on_rabbitmq
def test_a_traceparent_of_another_client_is_continued(
    app: Project, foreign: Foreign, token: str
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    header = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    body = json.dumps({"token": token}).encode()
    foreign.publish("created", body, pika.BasicProperties(headers=header))
    (line,) = app.wait_for("exact", token=token)
    assert line["trace"] == trace


@on_rabbitmq
def test_a_foreign_event_is_retried_on_its_step_alone(
    app: Project, foreign: Foreign, token: str
) -> None:
    body = json.dumps({"token": token, "fails": {"one-word": 1}}).encode()
    foreign.publish("order.foreign", body, None)
    first, second = app.wait_for("one-word", 2, "begun", token)
    app.wait_for("any-words", token=token)
    assert (first["run"], first["topic"]) == (second["run"], second["topic"])
    assert [n["attempt"] for n in app.notes("any-words", "begun", token)] == [1]
