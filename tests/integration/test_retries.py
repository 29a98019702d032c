"""Retries: how often, to whom, and through what they live."""

from __future__ import annotations

import time

from integration.apps import Project

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
    project.step("flaky", ["flaky"], retry={"backoff": [4], "jitter": 0})
    project.step("witness", ["flaky"])
    first = project.worker()
    project.emit("flaky", {"token": "t", "fails": {"flaky": 1}})
    project.wait_for("witness", 1, "done")
    first.wait_for_line("tries again")
    time.sleep(1)  # the retry is sent, and both deliveries are acknowledged
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
    assert first["pid"] == doomed.pid
    doomed.kill()
    other = project.worker()
    (done,) = project.wait_for("slow", 1, "done")
    assert (done["run"], done["pid"]) == (first["run"], other.pid)


def test_the_retry_policy_says_which_errors_and_when(project: Project) -> None:
    """A named error has no second attempt; the others wait as long as the list says."""
    project.step("never", ["x"], retry={"never": ["ValueError"]})
    project.step("only", ["x"], retry={"on": ["OSError"], "maxAttempts": 3})
    project.step("listed", ["x"], retry={"backoff": [3], "jitter": 0, "on": ["ValueError"]})
    project.worker()
    project.emit("x", {"fails": {"never": 1, "only": 1, "listed": 1}})
    letters = project.dead_letters(2)
    assert {letter.headers["motia-step"] for letter in letters} == {"never", "only"}
    assert {letter.headers["motia-attempt"] for letter in letters} == {1}
    project.wait_for("listed")
    first, second = project.notes("listed", "begun")
    assert second["at"] - first["at"] >= 2.5
