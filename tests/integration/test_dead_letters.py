"""Dead letters: what failed for the last time is kept once, with its reason."""

from __future__ import annotations

import time

import pytest
from integration.apps import Project

from motia_celery.model.event import run_id


def failed(app: Project, token: str) -> dict[str, object]:
    """An event's data that fails on every attempt."""
    return {"token": token, "fails": {"other": 99, "middle": 99, "sync": 99}}


def test_the_last_failure_makes_one_dead_letter_with_its_reason(app: Project, token: str) -> None:
    """Error type, message and place, run id and attempts are in the headers; the event is kept."""
    event = app.emit("other", failed(app, token))
    (letter,) = app.dead_letters()
    assert letter.data == event.data
    assert letter.properties["message_id"] == event.id
    told = {name: letter.headers.get(name) for name in sorted(letter.headers)}
    assert told["motia-error-type"] == "ValueError"
    assert told["motia-error-message"] == "other fails attempt 2"
    assert told["motia-error-where"].startswith("acts.py:")
    assert told["motia-run-id"] == run_id(event.id, app.queue("other"))
    assert told["motia-attempt"] == 2
    assert told["motia-step"] == "other"
    assert told["motia-queue"] == app.queue("other")
    assert told["motia-topic"] == "other"
    assert told["traceparent"].split("-")[1] == event.trace.trace_id


def test_a_step_without_retries_fails_once(app: Project, token: str) -> None:
    app.emit("middle", failed(app, token))
    (letter,) = app.dead_letters()
    assert letter.headers["motia-attempt"] == 1


def test_a_dead_letter_leaves_nothing_in_the_queue(project: Project) -> None:
    """The worker acknowledged the failed run: after ``kill -9`` of it nothing comes back."""
    project.step("fails", ["fails"], retries=0)
    project.step("works", ["fails"])
    worker = project.worker()
    project.emit("fails", {"fails": {"fails": 1}})
    assert len(project.dead_letters()) == 1
    project.wait_for("works")
    time.sleep(0.5)
    worker.kill()
    if project.settings().uses_rabbitmq:
        time.sleep(0.5)  # the broker puts back what a dead worker held
    else:
        with project.channel() as channel:
            assert channel.client.hlen("unacked") == 0
    assert [project.depth(project.queue(step)) for step in ("fails", "works")] == [0, 0]


def test_a_failing_handler_in_a_thread_makes_a_dead_letter(app: Project, token: str) -> None:
    app.emit("sync", failed(app, token))
    (letter,) = app.dead_letters()
    assert letter.headers["motia-error-message"] == "sync fails attempt 2"


def test_the_others_of_a_fan_out_make_no_dead_letter(app: Project, token: str) -> None:
    data = {"token": token, "fails": {"fan-one": 99}}
    app.emit("fan.out", data)
    (letter,) = app.dead_letters(seconds=60)
    assert letter.headers["motia-step"] == "fan-one"
    assert letter.headers["motia-attempt"] == 3
    assert len(app.notes("fan-two", "done", token)) == 1


@pytest.mark.parametrize("shared", ["rabbitmq"], indirect=True)
def test_a_dead_letter_can_be_sent_again(app: Project, token: str) -> None:
    """Its body is the event itself, so publishing it to the Step's queue is a replay."""
    app.emit("middle", {"token": token, "fails": {"middle": 1}})
    (letter,) = app.dead_letters()
    headers = {"motia-attempt": 2, "motia-topic": "middle"}
    app.publish(app.queue("middle"), letter.body, headers=headers, message_id="again")
    app.wait_for("middle", token=token)
