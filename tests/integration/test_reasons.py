"""What each kind of dead letter says of itself, the same on both brokers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from integration.apps import Project, wait_until
from integration.letters import dead_letters
from servers import RabbitNode

from motia_celery.broker.redelivery import redeliveries_key
from motia_celery.model.dead_letter import DeadLetter
from motia_celery.model.event import run_id
from motia_celery.plan.topology import DELIVERY_LIMIT


def only_letter(project: Project, seconds: float = 30) -> DeadLetter:
    """The one dead letter, once it is there; what every kind of them tells is checked."""
    wait_until(
        lambda: project.depth(project.names.dead_letter_queue), "a dead letter", seconds, pause=0.2
    )
    (letter,) = dead_letters(project).each()
    assert letter.died_at is not None
    assert abs(datetime.now(UTC) - letter.died_at) < timedelta(minutes=2)
    assert letter.id
    assert letter.event_id
    (again,) = dead_letters(project).each()
    assert (again.id, again.event_id) == (letter.id, letter.event_id)
    return letter


def test_a_run_that_failed(app: Project, token: str) -> None:
    data = {"token": token, "fails": {"other": 99}}
    event = app.emit("other", data)
    letter = only_letter(app)
    assert (letter.reason, letter.attempts, letter.step) == ("failed", 2, "other")
    assert letter.id == run_id(event.id, app.queue("other"))
    assert (letter.event_id, letter.topic) == (event.id, "other")
    assert letter.trace_id == event.trace.trace_id
    assert letter.error.where.startswith("acts.py:")
    assert letter.error.traceback.endswith("ValueError: other fails attempt 2\n")
    assert letter.data == data


REFUSED: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "undecodable": (
        {"body": b"{oh no"},
        "undecodable",
        "MessageRejectedError",
        "its body is not JSON",
    ),
    "another content type": (
        {"body": b"<a/>", "content_type": "text/xml"},
        "undecodable",
        "MessageRejectedError",
        "its content type is 'text/xml'.",
    ),
    "compressed": (
        {"body": b"{}", "content_encoding": "gzip"},
        "undecodable",
        "MessageRejectedError",
        "its encoding is 'gzip'.",
    ),
    "oversized": (
        {"body": json.dumps("x" * 5000).encode()},
        "oversized",
        "OversizedMessageError",
        "its body has 5002 bytes.",
    ),
    "unknown task": (
        {"body": b"[[],{},{}]", "headers": {"task": "os.system", "id": "an-id"}},
        "unknown task",
        "UnknownTaskError",
        "it asks for the task 'os.system'.",
    ),
}


@pytest.mark.parametrize(("message", "reason", "error", "what"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_event(
    app: Project, token: str, message: dict[str, Any], reason: str, error: str, what: str
) -> None:
    """Which Step's queue it came to, what it was, and why nobody ran it."""
    app.publish(app.queue("other"), **message, message_id=f"m-{token}")
    letter = only_letter(app)
    assert (letter.reason, letter.error.type, letter.attempts) == (reason, error, 0)
    assert letter.error.message.startswith(what)
    assert (letter.step, letter.queue) == ("other", app.queue("other"))
    assert letter.body == message["body"]
    assert letter.content_type == message.get("content_type", "application/json")
    assert letter.event_id == f"m-{token}"
    if "headers" not in message:
        assert letter.id == run_id(f"m-{token}", app.queue("other"))


def test_a_message_without_an_id_has_a_stable_one(app: Project) -> None:
    """It is derived from the content; another message has another."""
    ids = set()
    for number in range(2):
        app.take(app.names.dead_letter_queue)
        app.publish(app.queue("other"), b"{oh no %d" % number)
        ids.add(only_letter(app).id)
    assert len(ids) == 2


@pytest.mark.parametrize("shared", ["rabbitmq"], indirect=True)
def test_a_foreign_event_keeps_its_topic(app: Project, token: str) -> None:
    """Published to the events exchange by somebody else, with nothing but a body."""
    app.publish("other", b'{"broken": ', exchange=app.names.events)
    letter = only_letter(app)
    assert (letter.topic, letter.step, letter.reason) == ("other", "other", "undecodable")


def test_a_broken_task_of_the_step(app: Project) -> None:
    """Celery, and not the hook, finds it to be broken."""
    headers = {"task": "step:other", "id": "b1946ac9-2d7c", "root_id": "r", "eta": "never"}
    app.publish(app.queue("other"), b"[[1],{},{}]", headers=headers)
    letter = only_letter(app)
    assert (letter.reason, letter.step, letter.id) == ("undecodable", "other", "b1946ac9-2d7c")


def test_a_step_is_named_as_it_is_called(app: Project, token: str) -> None:
    """A Step's name that no queue can carry is in the letter all the same."""
    app.emit("weird", {"token": token, "fails": {"named Ä/weird": 9}})
    assert only_letter(app).step == "named Ä/weird"


def test_a_hard_time_limit(project: Project) -> None:
    """The process is ended, and the event is a dead letter, once, with its data as it was."""
    project.step("endless", ["endless"], retries=3, sync=True)
    project.step("healthy", ["healthy"])
    worker = project.celery_worker("--time-limit", "2", pool="prefork", concurrency=1)
    event = project.emit("endless", {"sleep": 60})
    letter = only_letter(project, 60)
    assert (letter.reason, letter.error.type) == ("time limit", "TimeLimitExceeded")
    assert "hard time limit of 2 s" in letter.error.message
    assert letter.id == run_id(event.id, project.queue("endless"))
    assert (letter.event_id, letter.topic) == (event.id, "endless")
    assert (letter.data, letter.attempts, letter.step) == ({"sleep": 60}, 1, "endless")
    assert letter.trace_id == event.trace.trace_id
    project.emit("healthy", {"token": "t"})
    project.wait_for("healthy", seconds=60)
    assert len(project.notes("endless", "begun")) == 1
    worker.terminate()
    assert project.depth(project.queue("endless")) == 0
    assert len(list(dead_letters(project).each())) == 1


def test_poison_on_rabbitmq(on_rabbitmq: Project, rabbitmq: RabbitNode) -> None:
    """The process dies each time, until the queue's delivery limit; then the worker goes on."""
    project = on_rabbitmq
    vhost = unquote(urlsplit(project.settings().broker).path[1:])
    policy = {
        "pattern": f"^{project.queue('poison')}$",
        "definition": {"delivery-limit": 2},
        "apply-to": "queues",
    }
    rabbitmq.api("PUT", f"/policies/{vhost}/limit", policy)  # 20 deaths would take a minute
    project.step("poison", ["poison"])
    project.step("healthy", ["healthy"])
    project.worker(pool="prefork", concurrency=1)
    event = project.emit("poison", {"dies": ["poison"]})
    letter = only_letter(project, 60)
    assert_is_poison(project, letter, event.id)
    assert "up to the limit" in letter.error.message
    assert letter.trace_id == event.trace.trace_id
    runs = project.notes("poison", "begun")
    assert [note["run"] for note in runs] == [letter.id] * 3
    project.emit("healthy", {"token": "t"})
    project.wait_for("healthy")


@pytest.mark.parametrize("pool", ["prefork", "async"])
def test_poison_on_redis(make_project: Any, pool: str) -> None:
    """Redis has no delivery limit; the redeliveries are counted by us.

    That the worker has died often before is put in the count, which saves a minute of deaths.
    """
    project = make_project(None)
    project.step("poison", ["poison"])
    event = project.emit("poison", {"dies": ["poison"]})
    died_before(project, DELIVERY_LIMIT - 1)
    for _ in range(6):
        worker = project.worker(pool=pool, concurrency=1)
        wait_until(
            lambda w=worker: not w.running or project.depth(project.names.dead_letter_queue),
            "death",
            60,
            pause=0.2,
        )
        if project.depth(project.names.dead_letter_queue):
            break
        give_back(project)
    letter = only_letter(project, 5)
    assert_is_poison(project, letter, event.id)
    assert f"it was delivered {DELIVERY_LIMIT + 1} times" in letter.error.message
    assert len(project.notes("poison", "begun")) == 2


def assert_is_poison(project: Project, letter: DeadLetter, event_id: str) -> None:
    assert (letter.reason, letter.step, letter.topic) == ("poison", "poison", "poison")
    assert letter.id == run_id(event_id, project.queue("poison"))
    assert (letter.event_id, letter.data) == (event_id, {"dies": ["poison"]})


def died_before(project: Project, times: int) -> None:
    """Counts redeliveries of the only message in the Step's queue that never were."""
    with project.channel() as channel:
        key = f"{channel.global_keyprefix}{project.queue('poison')}"
        (raw,) = channel.client.execute_command("LRANGE", key, 0, -1)
        tag = json.loads(raw)["properties"]["delivery_tag"]
        channel.client.execute_command("INCRBY", redeliveries_key(channel, tag), times)


def give_back(project: Project) -> None:
    """Gives back what a dead worker held, as the next one does after the visibility timeout."""
    with project.channel() as channel:
        for tag in channel.client.execute_command(
            "HKEYS", f"{channel.global_keyprefix}{channel.unacked_key}"
        ):
            channel.qos.restore_by_tag(tag.decode())
