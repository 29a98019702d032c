"""Retries: how often, to whom, and through what they live."""

from __future__ import annotations

import os
import signal
import time

import pytest

from integration.apps import Project, wait_until

from motia_celery.model.event import run_id


def test_a_retry_is_the_same_run(app: Project, token: str) -> None:
    """Run id, trace, topic and data stay; only the attempt is another."""
    event = app.emit("fan.out", {"token": token, "fails": {"fan-one": 1}})
    first, second = app.wait_for("fan-one", 2, "begun", token)
    same = ("run", "trace", "topic", "data")
    assert {name: first[name] for name in same} == {name: second[name] for name in same}
    assert (first["attempt"], second["attempt"]) == (1, 2)
    assert first["run"] == run_id(event.id, app.queue("fan-one"))


def test_a_retry_waits_with_backoff_and_jitter(app: Project, token: str) -> None:
    """One to two seconds before the second attempt, with room for a slow machine."""
    app.emit("fan.out", {"token": token, "fails": {"fan-one": 1}})
    first, second = app.wait_for("fan-one", 2, "begun", token)
    assert 0.9 <= second["at"] - first["at"] <= 5


def test_max_retries_is_one_less_than_the_attempts(app: Project, token: str) -> None:
    app.emit("other", {"token": token, "fails": {"other": 99}})
    app.dead_letters()
    assert [n["attempt"] for n in app.notes("other", "begun", token)] == [1, 2]


def test_an_emit_of_an_attempt_that_fails_is_made_again(app: Project, token: str) -> None:
    """Delivery is at least once; the second attempt emits again."""
    wishes = {"token": token, "emits": ["middle"], "fails": {"starts": 1}}
    app.emit("starts", wishes)
    app.wait_for("middle", 2, token=token)


def test_a_retry_lives_through_the_death_of_the_worker(project: Project) -> None:
    """It waits at the broker: ``kill -9`` of the worker meanwhile takes nothing away."""
    project.step("flaky", ["flaky"])
    project.step("witness", ["flaky"])
    first = project.worker()
    project.emit("flaky", {"token": "t", "fails": {"flaky": 1}})
    project.wait_for("flaky", 1, "begun")
    project.wait_for("witness", 1, "done")
    time.sleep(0.3)  # the retry is sent; it is due in a second at the earliest
    first.kill()
    project.worker()
    (line,) = project.wait_for("flaky", 1, "done")
    assert line["attempt"] == 2
    assert len(project.notes("flaky", "begun")) == 2
    assert len(project.notes("witness", "begun")) == 1


def test_a_run_of_a_killed_worker_runs_again_elsewhere(on_rabbitmq: Project) -> None:
    """``kill -9`` in the middle of a run: another worker runs it, under the same run id."""
    project = on_rabbitmq
    project.step("slow", ["slow"])
    doomed = project.worker()
    project.emit("slow", {"sleep": 3})
    (first,) = project.wait_for("slow", 1, "begun")
    other = project.worker()
    assert first["pid"] == doomed.pid
    doomed.kill()
    (done,) = project.wait_for("slow", 1, "done")
    assert (done["run"], done["pid"]) == (first["run"], other.pid)


def test_a_run_of_a_killed_worker_comes_back_on_redis(make_project, name_prefix: str) -> None:
    """Kombu restores what the dead worker held once its visibility timeout is over."""
    project = make_project(None)
    project.step("slow", ["slow"])
    project.worker()
    options = project.connection
    with options() as connection:
        assert connection.transport_options["visibility_timeout"] == 3600


def test_a_step_that_kills_its_process_ends_in_the_dead_letters(on_rabbitmq: Project) -> None:
    """The delivery limit stops it; other Steps of the worker go on."""
    project = on_rabbitmq
    project.step("poison", ["poison"])
    project.step("healthy", ["healthy"])
    project.worker(pool="prefork", concurrency=1)
    project.worker("--steps", "poison", pool="prefork", concurrency=2)
    event = project.emit("poison", {"dies": ["poison"]})
    (letter,) = project.dead_letters(seconds=60)
    assert letter.properties["message_id"] == event.id
    assert letter.headers["x-death"][0]["reason"] == "delivery_limit"
    runs = project.notes("poison", "begun")
    assert {note["run"] for note in runs} == {run_id(event.id, project.queue("poison"))}
    assert 20 <= len(runs) <= 22
    project.emit("healthy", {"token": "t"})
    project.wait_for("healthy")


@pytest.mark.parametrize("project", ["rabbitmq"], indirect=True)
def test_a_worker_that_hangs_is_not_waited_for(project: Project) -> None:
    """A worker stopped in its tracks loses its connection by the heartbeat, not its events."""
    project.step("slow", ["slow"])
    worker = project.worker()
    project.emit("slow", {"sleep": 1})
    project.wait_for("slow", 1, "begun")
    os.kill(worker.pid, signal.SIGSTOP)
    try:
        assert project.depth(project.queue("slow")) == 0
    finally:
        os.kill(worker.pid, signal.SIGCONT)
    wait_until(lambda: project.notes("slow", "done"), "the run's end")
