"""Events that go straight to their handlers: what Celery offers still holds of them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Any

import pytest
from celery import Celery
from integration.apps import Project, wait_until
from servers import RabbitNode

from motia_celery.broker.connection import open_connection
from motia_celery.broker.direct.link import ConsumerLink
from motia_celery.model.event import run_id
from motia_celery.plan.topology import task_name

#: Ends when the file `go` is there.
WAITS = """
import asyncio
from pathlib import Path

from acts import note

config = {config!r}


async def handler(data, context):
    note("begun", config["name"], data, context)
    try:
        while not (Path(__file__).parents[1] / "go").exists():
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        note("cut", config["name"], data, context)
        raise
    note("done", config["name"], data, context)
"""


#: Fails once, then ends when the file `go` is there.
FAILS_ONCE = """
import asyncio
from pathlib import Path

from acts import note

config = {config!r}


async def handler(data, context):
    if context.attempt == 1:
        raise ValueError("the first time")
    note("begun", config["name"], data, context)
    while not (Path(__file__).parents[1] / "go").exists():
        await asyncio.sleep(0.05)
    note("done", config["name"], data, context)
"""


@pytest.fixture
def celery(on_rabbitmq: Project) -> Any:
    """Remote control of the project's workers, as Flower and `celery` have it."""
    app = Celery(broker=on_rabbitmq.settings().broker, set_as_current=False)
    prefix = on_rabbitmq.settings().prefix
    app.conf.update(
        control_exchange=f"{prefix}.control",
        event_exchange=f"{prefix}.celeryev",
        event_queue_prefix=f"{prefix}.celeryev",
        control_queue_exclusive=True,
        event_queue_exclusive=True,
    )
    yield app
    app.close()


def active(celery: Any) -> list[dict[str, Any]]:
    """What all workers say that they run."""
    told = celery.control.inspect(timeout=5).active() or {}
    return [run for runs in told.values() for run in runs]


def test_what_runs_is_seen_and_can_be_cut(on_rabbitmq: Project, celery: Any) -> None:
    project = on_rabbitmq
    project.step("waits", ["go.on"], source=WAITS)
    project.worker()
    event = project.emit("go.on", {"token": "one"})
    project.wait_for("waits", 1, "begun")
    identity = run_id(event.id, project.queue("waits"))
    (run,) = active(celery)
    assert (run["id"], run["name"]) == (identity, task_name("waits"))
    assert run["args"] == [{"token": "one"}]
    assert run["time_start"]
    celery.control.revoke(identity, terminate=True)
    project.wait_for("waits", 1, "cut")
    wait_until(lambda: not active(celery), "the end of the run")
    wait_until(lambda: project.depth(project.queue("waits")) == 0, "its acknowledgement")
    assert len(project.notes("waits", "begun")) == 1


def test_a_revoked_event_is_not_begun(on_rabbitmq: Project, celery: Any) -> None:
    project = on_rabbitmq
    project.step("waits", ["go.on"], source=WAITS)
    project.worker(concurrency=1, prefetch=1)
    project.emit("go.on", {"token": "one"})
    project.wait_for("waits", 1, "begun")
    second = project.emit("go.on", {"token": "two"})
    celery.control.revoke(run_id(second.id, project.queue("waits")))
    inspect = celery.control.inspect
    wait_until(lambda: any((inspect(timeout=5).revoked() or {}).values()), "the revoke")
    project.emit("go.on", {"token": "three"})
    (project.folder / "go").touch()
    project.wait_for("waits", 1, token="three")
    assert {note["data"]["token"] for note in project.notes("waits", "done")} == {"one", "three"}


def test_a_rate_limit_by_remote_control_is_kept(on_rabbitmq: Project, celery: Any) -> None:
    """Such a Step takes Celery's path from then on."""
    project = on_rabbitmq
    project.step("quick", ["quick"])
    project.worker()
    project.emit("quick", {"token": "before"})
    project.wait_for("quick", token="before")
    (answer,) = celery.control.rate_limit(task_name("quick"), "1/h", reply=True, timeout=60)
    assert "ok" in next(iter(answer.values()))
    for n in range(3):
        project.emit("quick", {"token": f"after {n}"})
    project.wait_for("quick", 2)
    wait_until(lambda: project.depth(project.queue("quick")) == 0, "their delivery")
    assert len(project.notes("quick", "done")) == 2


def test_a_connection_that_is_closed_is_opened_again(
    private_rabbitmq: RabbitNode, make_project: Callable[..., Project]
) -> None:
    """What ran meanwhile is done once more at most, and what came meanwhile is not lost."""
    project = make_project(private_rabbitmq.url)
    project.step("waits", ["go.on"], source=WAITS)
    worker = project.worker()
    project.emit("go.on", {"token": "held"})
    project.wait_for("waits", 1, "begun")
    private_rabbitmq.ctl("close_all_connections", "for a test")
    worker.wait_for_line("deliveries.waiting")
    project.emit("go.on", {"token": "late"})
    project.wait_for("waits", 2, "begun", seconds=60)
    (project.folder / "go").touch()
    project.wait_for("waits", token="late", seconds=60)
    project.wait_for("waits", token="held", seconds=60)
    wait_until(lambda: project.depth(project.queue("waits")) == 0, "the acknowledgements", 60)
    assert worker.terminate() == 0
    assert len({note["run"] for note in project.notes("waits", "done")}) == 2


@pytest.mark.parametrize("direct", [True, False])
def test_many_events_are_each_run_once(on_rabbitmq: Project, direct: bool) -> None:
    project = on_rabbitmq
    project.step("counts", ["counted"])
    project.release()
    for n in range(300):
        project.emit("counted", {"token": str(n)})
    worker = project.worker(direct=direct)
    project.wait_for("counts", 300, seconds=60)
    assert worker.terminate() == 0
    assert project.depth(project.queue("counts")) == 0
    notes = project.notes("counts", "done")
    assert sorted(int(note["data"]["token"]) for note in notes) == list(range(300))


async def settle_out_of_order(project: Project, queue: str, count: int) -> None:
    """Takes so many deliveries, settles them one by one, and ends the connection at once."""
    connection = open_connection(project.settings())
    connection.connect()
    assert connection.default_channel
    arrived: list[int] = []
    link = ConsumerLink(connection, lambda _, arrival: arrived.append(arrival.tag), print)
    link.start()
    link.consume(queue, count)
    async with asyncio.timeout(60):
        while len(arrived) < count:
            await asyncio.sleep(0.01)
    link.cancel(queue)
    for tag in [*arrived[1::2], *arrived[::2]]:
        link.ack(tag)
        await asyncio.sleep(0)  # a turn of the loop for each, so each has its own frame
    await link.finish()


def test_what_was_settled_last_is_not_forgotten(on_rabbitmq: Project) -> None:
    project = on_rabbitmq
    project.step("counts", ["counted"])
    project.release()
    for n in range(100):
        project.emit("counted", {"token": str(n)})
    queue = project.queue("counts")
    wait_until(lambda: project.depth(queue) == 100, "the events")
    asyncio.run(settle_out_of_order(project, queue, 100))
    project.worker()
    project.emit("counted", {"token": "last"})
    project.wait_for("counts", 1, token="last")
    assert len(project.notes("counts", "done")) == 1


def test_a_retry_that_ends_while_the_worker_stops_is_not_repeated(
    on_rabbitmq: Project, celery: Any
) -> None:
    """On Celery's path too, which a rate limit by remote control leads to."""
    project = on_rabbitmq
    project.step("waits", ["go.on"], source=FAILS_ONCE, retries=2)
    worker = project.worker()
    (answer,) = celery.control.rate_limit(task_name("waits"), "100/s", reply=True, timeout=60)
    assert "ok" in next(iter(answer.values()))
    project.emit("go.on", {"token": "one"})
    project.wait_for("waits", 1, "begun", seconds=60)
    worker.send(signal.SIGTERM)
    worker.wait_for_line("worker.stopping")
    (project.folder / "go").touch()
    assert worker.wait() == 0
    project.worker()
    project.emit("go.on", {"token": "two"})
    project.wait_for("waits", 1, token="two", seconds=60)
    assert [note["data"]["token"] for note in project.notes("waits", "done")] == ["one", "two"]
