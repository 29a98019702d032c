"""Priority: which of the runs that wait in a worker begins first, and what travels."""

from __future__ import annotations

from collections.abc import Callable

from integration.apps import Process, Project, wait_until

#: Keeps a worker's only slot until the file `go` is there.
BLOCKS = """
import asyncio
from pathlib import Path

from acts import note

config = {config!r}


async def handler(data, context):
    note("begun", config["name"], data, context)
    while not (Path(__file__).parents[1] / "go").exists():
        await asyncio.sleep(0.05)
"""
EMITS = """
config = {config!r}


async def handler(data, context):
    for priority in data["priorities"]:
        await context.emit(topic="ranked", data={"n": priority}, priority=priority)
"""


def blocked_worker(project: Project) -> Process:
    """A worker with one slot, which is taken."""
    project.step("blocks", ["block"], source=BLOCKS)
    worker = project.worker(concurrency=1, prefetch=100)
    project.emit("block", {})
    project.wait_for("blocks", 1, "begun")
    return worker


def unblock(project: Project, *steps: str) -> None:
    """Lets the worker go on, once it has all that waits for these Steps."""
    for step in steps:
        wait_until(lambda step=step: project.depth(project.queue(step)) == 0, f"{step} at worker")
    (project.folder / "go").touch()


def order(project: Project, count: int, *steps: str) -> list[str]:
    """The Steps of the runs, as they began."""
    wait_until(lambda: sum(len(project.notes(s, "done")) for s in steps) >= count, "every run", 60)
    found = [(note["at"], step) for step in steps for note in project.notes(step, "begun")]
    return [step for _, step in sorted(found)]


def test_runs_of_a_more_urgent_step_begin_first(on_rabbitmq: Project) -> None:
    """Among those that wait in one worker process; without a priority a Step is in the middle."""
    project = on_rabbitmq
    for name, priority in (("low", 1), ("high", 9)):
        project.step(name, [name], infrastructure={"queue": {"priority": priority}})
    project.step("normal", ["normal"])
    blocked_worker(project)
    for name in ("low", "normal", "high") * 3:
        project.emit(name, {})
    unblock(project, "low", "normal", "high")
    begun = order(project, 9, "low", "normal", "high")
    assert begun == ["high"] * 3 + ["normal"] * 3 + ["low"] * 3


def test_a_priority_travels_with_its_event(on_rabbitmq: Project) -> None:
    """As AMQP's own property, on its retries and to the dead letters too."""
    project = on_rabbitmq
    project.step("asks", ["ask"], source=EMITS)
    project.step("ranked", ["ranked"], retries=1, retry={"backoff": [0], "jitter": 0})
    project.release()
    worker = project.worker("--steps", "asks")
    project.emit("ask", {"priorities": [2, 9]})
    wait_until(lambda: project.depth(project.queue("ranked")) == 2, "the events")
    letters = project.take(project.queue("ranked"))
    assert {x.data["n"]: x.properties["priority"] for x in letters} == {2: 2, 9: 9}
    worker.wait_for_line("publish.priority")  # this RabbitMQ is older than 4.0
    project.worker("--steps", "ranked")
    body = b'{"fails": {"ranked": 9}}'
    project.publish("ranked", body, exchange=project.names.events, priority=7)
    (letter,) = project.dead_letters()
    assert letter.properties["priority"] == 7


def test_the_most_urgent_of_a_steps_events_begins_first(on_rabbitmq: Project) -> None:
    """Among those that one worker has already, on any RabbitMQ."""
    project = on_rabbitmq
    project.step("ranked", ["ranked"])
    blocked_worker(project)
    for priority in (2, 9, 0, 6):
        body = f'{{"token": "{priority}"}}'
        project.publish("ranked", body, exchange=project.names.events, priority=priority)
    unblock(project, "ranked")
    done = project.wait_for("ranked", 4)
    assert [note["data"]["token"] for note in done] == ["9", "6", "2", "0"]


def test_on_redis_a_priority_is_not_sent(make_project: Callable[..., Project]) -> None:
    """kombu would put the event into another list; it arrives like any other."""
    project = make_project(None)
    project.step("asks", ["ask"], source=EMITS)
    project.step("ranked", ["ranked"])
    worker = project.worker()
    project.emit("ask", {"priorities": [9, 0]})
    project.wait_for("ranked", 2)
    assert "publish.priority" in worker.output
