"""The consumer hook: what is no event becomes a dead letter, and the worker goes on."""

from __future__ import annotations

import json

import pytest
from integration.apps import Project, wait_until

REFUSED = {
    "no JSON": {"body": b"{oh no"},
    "empty": {"body": b""},
    "two values": {"body": b"{} {}"},
    "not a number": {"body": b"[NaN]"},
    "too large": {"body": b'"' + b"x" * 5000 + b'"'},
    "another content type": {"body": b"{}", "content_type": "text/plain"},
    "a pickle": {"body": b"\x80\x04N.", "content_type": "application/x-python-serialize"},
    "another encoding": {"body": b"{}", "content_encoding": "utf-16"},
    "compressed": {"body": b"\x1f\x8b\x08", "content_encoding": "gzip"},
    "an unknown task": {"body": b"[[],{},{}]", "headers": {"task": "os.system", "id": "i"}},
    "another step's task": {"body": b"[[],{},{}]", "headers": {"task": "step:exact", "id": "i"}},
    "a task that is no text": {"body": b"[[],{},{}]", "headers": {"task": 7, "id": "i"}},
}
NOT_UTF8 = {"body": b'"\xff\xfe"'}

#: Messages for the Step's own task that Celery, and not the hook, finds to be broken.
OWN = {"task": "step:other", "id": "b1946ac9-2d7c-4c5c-9d5f-1d1f5e3f0d55", "root_id": "r"}
BROKEN_TASKS = {
    "no JSON": {"body": b"{oh no"},
    "empty": {"body": b""},
    "a pickle": {"body": b"\x80\x04N.", "content_type": "application/x-python-serialize"},
    "an unknown content type": {"body": b"x", "content_type": "application/x-nothing"},
    "unknown compression": {"body": b"x", "headers": {**OWN, "compression": "nothing"}},
    "no list": {"body": b"17"},
    "too short": {"body": b"[[]]"},
    "no id": {"body": b"[[1],{},{}]", "headers": {"task": "step:other"}},
    "odd time limits": {"body": b"[[1],{},{}]", "headers": {**OWN, "timelimit": ["a", 1]}},
    "odd retries": {"body": b"[[1],{},{}]", "headers": {**OWN, "retries": "x"}},
    "odd eta": {"body": b"[[1],{},{}]", "headers": {**OWN, "eta": "never"}},
    "odd expiry": {"body": b"[[1],{},{}]", "headers": {**OWN, "expires": [1]}},
    "odd callbacks": {"body": b'[[1],{},{"id": 5}]'},
    "arguments that are no list": {"body": b'[5, 6, {"chord": null}]'},
}


@pytest.mark.parametrize("message", REFUSED.values(), ids=REFUSED)
def test_what_is_no_event_becomes_a_dead_letter(
    app: Project, token: str, message: dict[str, object]
) -> None:
    """As it was, and exactly once; the events after it run."""
    app.publish(app.queue("other"), **message)
    (letter,) = app.dead_letters()
    assert letter.body == message["body"]
    goes_on(app, token)


@pytest.mark.parametrize("shared", ["rabbitmq"], indirect=True)
def test_a_body_that_is_not_utf8_becomes_a_dead_letter(app: Project, token: str) -> None:
    app.publish(app.queue("other"), **NOT_UTF8)
    (letter,) = app.dead_letters()
    assert letter.body == NOT_UTF8["body"]
    goes_on(app, token)


@pytest.mark.parametrize("message", BROKEN_TASKS.values(), ids=BROKEN_TASKS)
def test_a_broken_task_of_this_step_becomes_a_dead_letter(
    app: Project, token: str, message: dict[str, object]
) -> None:
    """Celery would acknowledge, and so lose, a task message that it can not decode."""
    app.publish(app.queue("other"), **{"headers": OWN, **message})
    assert len(app.dead_letters()) == 1
    goes_on(app, token)


@pytest.mark.parametrize(
    "headers",
    [
        {"motia-attempt": "many"},
        {"motia-attempt": -5},
        {"motia-attempt": True},
        {"traceparent": "nonsense"},
        {"traceparent": 5},
        {"motia-topic": "x" * 300},
        {"motia-run-id": 7, "motia-root-id": [], "motia-parent-id": {}},
        {"retries": "x", "eta": "never", "expires": "never", "timelimit": 4},
        {"compression": "nothing", "is_eager": True, "stamped_headers": 5},
        {"id": None, "root_id": 5, "group": {"a": 1}},
    ],
    ids=str,
)
def test_odd_headers_do_not_keep_an_event_from_running(
    app: Project, token: str, headers: dict[str, object]
) -> None:
    body = json.dumps({"token": token}).encode()
    app.publish(app.queue("other"), body, headers=headers, message_id=f"m-{token}")
    app.wait_for("other", token=token)
    assert app.take(app.names.dead_letter_queue) == []


def test_a_message_without_an_id_runs(app: Project, token: str) -> None:
    app.publish(app.queue("other"), json.dumps({"token": token}).encode())
    app.wait_for("other", token=token)


def test_a_task_sent_by_celery_itself_runs(app: Project, token: str) -> None:
    """``send_task("step:other", args=[…])`` is a direct call of the Step."""
    body = json.dumps([[{"token": token}], {}, {}]).encode()
    app.publish(app.queue("other"), body, headers={**OWN, "id": f"id-{token}"})
    (line,) = app.wait_for("other", token=token)
    assert line["run"] == f"id-{token}"


def test_many_broken_messages_do_not_stop_the_worker(app: Project, token: str) -> None:
    """More of them than the worker may hold at once."""
    for _ in range(60):
        app.publish(app.queue("other"), b"{oh no")
    assert len(app.dead_letters(60)) == 60
    goes_on(app, token)


def goes_on(app: Project, token: str) -> None:
    """The worker lives and takes events from the same queue."""
    app.emit("other", {"token": token})
    app.wait_for("other", token=token)
    wait_until(lambda: app.depth(app.queue("other")) == 0, "an empty queue")
