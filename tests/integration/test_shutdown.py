"""A worker that is told to stop: its runs end, and what it has not begun goes back."""

from __future__ import annotations

import signal

import pytest
from integration.apps import Project, wait_until

#: Far longer than any test waits.
AGES = 900


def test_a_worker_stops_as_soon_as_its_runs_have_ended(project: Project) -> None:
    """Nothing is cut, and nobody waits for the rest of the time that runs may take."""
    project.step("slow", ["slow"])
    worker = project.worker(soft_shutdown_seconds=AGES)
    project.emit("slow", {"token": "a", "sleep": 2})
    project.wait_for("slow", what="begun")

    assert worker.terminate(60) == 0, worker.output

    assert len(project.notes("slow", "done")) == 1
    assert "Terminated" not in worker.output
    assert project.depth(project.queue("slow")) == 0


def test_what_comes_to_a_stopping_worker_is_not_begun(project: Project) -> None:
    """It would be cut at once: it waits for another worker, untouched."""
    project.step("slow", ["slow"])
    project.step("quick", ["quick"])
    worker = project.worker(soft_shutdown_seconds=AGES)
    project.emit("slow", {"token": "a", "sleep": 4})
    project.wait_for("slow", what="begun")
    worker.send(signal.SIGTERM)
    worker.wait_for_line("worker.stopping")
    for number in range(5):
        project.emit("quick", {"token": number})

    assert worker.wait(60) == 0, worker.output

    assert project.notes("quick") == []
    wait_until(lambda: project.depth(project.queue("quick")) == 5, "the five are back")
    assert len(project.notes("slow", "done")) == 1


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_runs_of_other_pools_end_too(on_rabbitmq: Project, pool: str) -> None:
    on_rabbitmq.step("slow", ["slow"], sync=True)
    worker = on_rabbitmq.worker(soft_shutdown_seconds=8, pool=pool, concurrency=2)
    on_rabbitmq.emit("slow", {"token": "a", "sleep": 2})
    on_rabbitmq.wait_for("slow", what="begun")

    assert worker.terminate(60) == 0, worker.output

    assert len(on_rabbitmq.notes("slow", "done")) == 1
    wait_until(lambda: on_rabbitmq.depth(on_rabbitmq.queue("slow")) == 0, "acknowledged")
