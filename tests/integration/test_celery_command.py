"""Celery's own command line works on the app as on any other."""

from __future__ import annotations

from integration.apps import Project, wait_until


def celery(project: Project, *arguments: str) -> str:
    """What ``celery -A motia_celery.app …`` prints."""
    process = project.start("-m", "celery", "-A", "motia_celery.app", *arguments)
    assert process.wait(60) == 0, process.output
    return process.words


def test_control_and_inspect_reach_the_worker(project: Project) -> None:
    """``inspect`` lists Steps by their names, and ``control`` changes what is consumed."""
    project.step("slow", ["slow"])
    project.celery_worker()
    project.emit("slow", {"sleep": 15})
    project.wait_for("slow", 1, "begun")
    assert "step:slow" in celery(project, "inspect", "active", "--timeout", "2")
    assert project.queue("slow") in celery(project, "inspect", "active_queues", "--timeout", "2")
    assert "no longer consuming" in celery(
        project, "control", "--timeout", "2", "cancel_consumer", project.queue("slow")
    )


def test_call_starts_a_step(project: Project) -> None:
    """``celery call step:x`` sends to the Step's own queue."""
    project.step("quick", ["quick"])
    project.celery_worker()
    identity = celery(project, "call", "step:quick", "--args", '[{"token": "t"}]').split()[-1]
    (line,) = project.wait_for("quick")
    assert (line["run"], line["data"]) == (identity, {"token": "t"})


def test_queues_can_be_chosen_by_celerys_option(on_rabbitmq: Project) -> None:
    """``-Q`` serves one Step's queue and leaves the others."""
    project = on_rabbitmq
    project.step("one", ["work"])
    project.step("two", ["work"])
    project.celery_worker("-Q", project.queue("one"))
    project.emit("work", {"token": "t"})
    project.wait_for("one")
    wait_until(lambda: project.depth(project.queue("two")) == 1, "the other's event")
    assert project.notes("two") == []


def test_the_command_line_chooses_the_concurrency(on_rabbitmq: Project) -> None:
    project = on_rabbitmq
    project.step("slow", ["slow"])
    project.celery_worker("-c", "2")
    for number in range(4):
        project.emit("slow", {"sleep": 0.5, "token": number})
    done = project.wait_for("slow", 4)
    begun = project.notes("slow", "begun")
    assert max(line["at"] for line in done) - min(line["at"] for line in begun) >= 0.95


def test_sigterm_stops_it_softly_too(on_rabbitmq: Project) -> None:
    """As a platform stops it: the run is finished before the worker ends."""
    project = on_rabbitmq
    project.step("slow", ["slow"])
    worker = project.celery_worker(soft_shutdown_seconds=5)
    project.emit("slow", {"sleep": 1})
    project.wait_for("slow", 1, "begun")
    assert worker.terminate(60) == 0
    assert len(project.notes("slow", "done")) == 1
    assert project.depth(project.queue("slow")) == 0
