"""Pauses and cancellations: remembered, heard at once, and nothing else is touched."""

from __future__ import annotations

import time

import pytest
from integration.apps import Project, wait_until

from motia_celery.model.event import run_id

CRON = """
config = {"type": "cron", "name": "tick", "cron": "* * * * * *"}


async def handler(context):
    pass
"""


def ask(project: Project, *arguments: str) -> str:
    """The output of a command that must do what it is told."""
    process = project.command(*arguments)
    assert process.wait() == 0, process.output
    return process.output


def test_a_paused_step_keeps_its_events_through_restarts(project: Project) -> None:
    project.step("held", ["x"])
    project.step("other", ["x"])
    first = project.worker()
    assert "held is paused" in ask(project, "pause", "held")
    first.wait_for_line("step.paused", 60)
    project.emit("x", {"token": "one"})
    project.wait_for("other", token="one")
    assert first.terminate() == 0

    project.worker()
    project.emit("x", {"token": "two"})
    project.wait_for("other", token="two")
    assert project.notes("held") == []
    assert ask(project, "pause").strip() == "held"

    assert "held goes on" in ask(project, "resume", "held")
    project.wait_for("held", 2)
    assert ask(project, "pause").strip() == "No Step is paused."


def test_pausing_a_step_that_does_not_exist_says_so(project: Project) -> None:
    project.step("held", ["x"])
    process = project.command("pause", "hold")
    assert process.wait() == 1
    assert "no event or cron Step is named 'hold'" in process.words


def test_a_paused_cron_step_has_no_ticks_to_catch_up_with(on_rabbitmq: Project) -> None:
    project = on_rabbitmq
    project.step("tick", source=CRON)
    ask(project, "release")
    ask(project, "pause", "tick")
    beat = project.command("beat")
    beat.wait_for_line("leads")
    time.sleep(2.5)
    assert project.depth(project.queue("tick")) == 0
    ask(project, "resume", "tick")
    wait_until(lambda: project.depth(project.queue("tick")) > 0, "a tick", 60)


def test_a_run_that_waits_for_its_retry_can_be_called_off(project: Project) -> None:
    project.step("flaky", ["flaky"], retry={"backoff": [8], "jitter": 0})
    project.step("other", ["other"])
    worker = project.worker()
    project.emit("flaky", {"fails": {"flaky": 9}})
    (line,) = project.wait_for("flaky", 1, "begun")
    assert "is called off" in ask(project, "cancel", "run", line["run"])
    worker.wait_for_line("run.called_off", 60)
    project.emit("other", {})
    project.wait_for("other")
    assert len(project.notes("flaky", "begun")) == 1
    assert project.take(project.names.dead_letter_queue) == []


@pytest.mark.parametrize("pool", ["async", "threads", "prefork"])
def test_a_run_under_way_is_cut(on_rabbitmq: Project, pool: str) -> None:
    project = on_rabbitmq
    project.step("slow", ["slow"])
    project.step("other", ["other"])
    worker = project.worker(pool=pool, concurrency=2)
    event = project.emit("slow", {"sleep": 60})
    project.wait_for("slow", 1, "begun")
    ask(project, "cancel", "run", run_id(event.id, project.queue("slow")))
    worker.wait_for_line("run.called_off", 60)
    project.emit("other", {})
    project.wait_for("other")
    wait_until(lambda: project.depth(project.queue("slow")) == 0, "an acknowledged event")
    assert worker.terminate() == 0
    assert project.notes("slow", "done") == []
    assert project.take(project.names.dead_letter_queue) == []


def test_a_trace_is_called_off_as_a_whole(project: Project) -> None:
    """One run is cut, and the other, which waits for its retry, does not begin again."""
    project.step("slow", ["x"])
    project.step("flaky", ["x"], retry={"backoff": [8], "jitter": 0})
    worker = project.worker()
    project.emit("x", {"sleep": 1, "fails": {"flaky": 9}})
    project.emit("x", {"sleep": 1, "token": "kept"})
    project.wait_for("slow", 2, "begun")
    doomed = next(n for n in project.notes("slow") if n["data"].get("fails"))
    project.wait_for("flaky", 2, "begun")
    ask(project, "cancel", "trace", doomed["trace"])
    project.wait_for("flaky", 1, "done", token="kept")
    worker.wait_for_line("run.called_off", 60)
    assert [n["data"] for n in project.notes("flaky", "begun")].count(doomed["data"]) == 1


def test_all_that_waits_for_a_step_is_dropped(project: Project) -> None:
    """What is in its queue, and the retry that the broker holds; not what comes later."""
    project.step("busy", ["x"], retry={"backoff": [10], "jitter": 0})
    project.step("other", ["x"])
    worker = project.worker()
    project.emit("x", {"token": "old", "fails": {"busy": 9}})
    project.wait_for("busy", 1, "begun", "old")
    wait_until(lambda: "tries again" in worker.output, "a retry that waits")
    time.sleep(1.1)  # events carry whole seconds; and the delivery is acknowledged by then
    assert worker.terminate() == 0
    for _ in range(3):
        project.emit("x", {"token": "queued"})
    assert "3 events" in ask(project, "cancel", "queued", "busy", "--yes")
    project.emit("x", {"token": "new"})
    second = project.worker()
    project.wait_for("busy", 1, "done", "new")
    project.wait_for("other", 3, "done", "queued")
    second.wait_for_line("run.called_off", 60)
    assert project.notes("busy", token="queued") == []
    assert len(project.notes("busy", "begun", "old")) == 1


def test_dropping_needs_a_yes(project: Project) -> None:
    project.step("busy", ["x"])
    process = project.command("cancel", "queued", "busy")
    assert process.wait() == 2
    assert "--yes" in process.output
