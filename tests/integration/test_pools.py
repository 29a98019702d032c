"""The three pools, under either command; and the async pool's limits and controls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery
from integration.apps import Project, wait_until
from kombu import Queue

from motia_celery.broker.celery_app import create_celery
from motia_celery.plan import compile_plan

POOLS = ("async", "threads", "prefork")


def write_steps(project: Project) -> None:
    project.step("async", ["work"], retries=1)
    project.step("sync", ["work"], retries=1, sync=True)
    project.step("failing", ["work"], retries=0)


def start(project: Project, command: str, pool: str, **settings: object) -> Any:
    starter = project.worker if command == "motia-celery" else project.celery_worker
    return starter(pool=pool, concurrency=4, **settings)


@pytest.mark.parametrize("command", ["motia-celery", "celery"])
@pytest.mark.parametrize("pool", POOLS)
def test_every_pool_runs_retries_and_buries(on_rabbitmq: Project, pool: str, command: str) -> None:
    """Async and sync handlers, under ``motia-celery worker`` and plain ``celery worker``."""
    check_pool(on_rabbitmq, pool, command)


def test_prefork_works_on_redis(make_project: Callable[..., Project]) -> None:
    """The dead letter is published by the child, and acknowledged by its parent."""
    check_pool(make_project(None), "prefork", "motia-celery")


def check_pool(project: Project, pool: str, command: str) -> None:
    write_steps(project)
    worker = start(project, command, pool)
    project.emit("work", {"fails": {"async": 1, "sync": 1, "failing": 1}})
    (letter,) = project.dead_letters()
    assert letter.headers["motia-step"] == "failing"
    for step in ("async", "sync"):
        (line,) = project.wait_for(step)
        assert line["attempt"] == 2
        in_child = line["pid"] != worker.pid
        assert in_child == (pool == "prefork")
    assert worker.terminate() == 0


def test_two_hundred_handlers_wait_at_once(on_rabbitmq: Project) -> None:
    """200 handlers that sleep half a second end in little more than that."""
    project = on_rabbitmq
    project.step("sleepy", ["sleepy"])
    project.worker(concurrency=200)
    for number in range(200):
        project.emit("sleepy", {"sleep": 0.5, "token": number})
    # Emitting one after the other takes time of its own; overlap is what counts.
    done = project.wait_for("sleepy", 200, seconds=20)
    begun = project.notes("sleepy", "begun")
    assert len({line["pid"] for line in done}) == 1
    assert overlap(begun, done) > 50


def test_a_backlog_of_two_hundred_is_done_together(on_rabbitmq: Project) -> None:
    """One after the other they would take 100 seconds."""
    project = on_rabbitmq
    project.step("sleepy", ["sleepy"])
    for number in range(200):
        project.emit("sleepy", {"sleep": 0.5, "token": number})
    project.worker(concurrency=200)
    done = project.wait_for("sleepy", 200, seconds=20)
    begun = project.notes("sleepy", "begun")
    assert overlap(begun, done) >= 100
    assert max(d["at"] for d in done) - min(b["at"] for b in begun) < 10


def overlap(begun: list[Any], done: list[Any]) -> int:
    """How many ran at once, at most."""
    moments = [(line["at"], 1) for line in begun] + [(line["at"], -1) for line in done]
    most = now = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most


def test_concurrency_bounds_what_runs_at_once(on_rabbitmq: Project) -> None:
    project = on_rabbitmq
    for name in ("one", "two"):
        project.step(name, ["work"])
    for number in range(10):
        project.emit("work", {"sleep": 0.1, "token": number})
    project.worker(concurrency=3)
    done = [line for name in ("one", "two") for line in project.wait_for(name, 10)]
    begun = [line for name in ("one", "two") for line in project.notes(name, "begun")]
    assert overlap(begun, done) == 3


def test_prefetch_is_in_force_on_each_queue(on_rabbitmq: Project) -> None:
    """With a prefetch of 1 each queue has one message out, however many slots are free."""
    project = on_rabbitmq
    for name in ("one", "two"):
        project.step(name, ["work"])
    for number in range(4):
        project.emit("work", {"sleep": 0.4, "token": number})
    project.worker(prefetch=1, concurrency=10)
    for name in ("one", "two"):
        project.wait_for(name, 1, "begun")
    held = {name: 4 - project.depth(project.queue(name)) for name in ("one", "two")}
    done = {name: project.wait_for(name, 4) for name in ("one", "two")}
    assert max(held.values()) <= 2  # one done, one out
    for name in ("one", "two"):
        assert overlap(project.notes(name, "begun"), done[name]) == 1
    both = [line for name in done for line in done[name]]
    assert overlap([n for name in done for n in project.notes(name, "begun")], both) == 2


# Celery's own controls, on a worker with the async pool.


@pytest.fixture
def control(app: Project) -> Iterator[Celery]:
    """Another service's Celery app, which knows the broker and no Step."""
    plan = compile_plan(prefix=app.prefix, timezone="UTC", steps=(), streams=(), problems=())
    celery = create_celery(
        app.settings(),
        plan,
        invoke=never,
        publisher=never,
        gate=never,
        once=never,
        order=never,
        recorder=never,
    )
    yield celery
    celery.close()


def never(*_: Any) -> Any:
    raise AssertionError


def direct(control: Celery, app: Project, step: str, data: Any, **options: Any) -> str:
    """Sends to a Step's queue by Celery alone; gives the run's id."""
    queue = Queue(app.queue(step), no_declare=True)
    return str(control.send_task(f"step:{step}", args=[data], queue=queue, **options).id)


def test_send_task_calls_a_step(app: Project, control: Celery, token: str) -> None:
    identity = direct(control, app, "quick", {"token": token})
    (line,) = app.wait_for("quick", token=token)
    assert (line["run"], line["data"]) == (identity, {"token": token})


def test_send_task_waits_for_its_countdown(app: Project, control: Celery, token: str) -> None:
    sent = time.time()
    direct(control, app, "quick", {"token": token}, countdown=1.5)
    (line,) = app.wait_for("quick", token=token)
    assert line["at"] - sent >= 1.3


@pytest.mark.parametrize(
    ("limit", "error"),
    [("time_limit", "TimeLimitExceeded"), ("soft_time_limit", "SoftTimeLimitExceeded")],
)
def test_a_time_limit_ends_a_run(
    app: Project, control: Celery, token: str, limit: str, error: str
) -> None:
    """The handler is cut short, which is a failure like any other."""
    direct(control, app, "slow", {"sleep": 6, "token": token}, **{limit: 1})
    (letter,) = app.dead_letters()
    assert letter.headers["motia-error-type"] == error
    assert active(control) == []
    assert app.notes("slow", "done", token) == []
    goes_on(app, token)


def test_revoke_terminates_a_run(app: Project, control: Celery, token: str) -> None:
    """It is neither run again nor a dead letter."""
    identity = direct(control, app, "slow", {"sleep": 8, "token": token})
    app.wait_for("slow", 1, "begun", token)
    assert [task["id"] for task in active(control)] == [identity]
    control.control.revoke(identity, terminate=True)
    wait_until(lambda: active(control) == [], "no active task", 60)
    time.sleep(1)
    assert len(app.notes("slow", token=token)) == 1
    assert app.depth(app.queue("slow")) == 0
    assert app.take(app.names.dead_letter_queue) == []
    goes_on(app, token)


def test_a_revoked_run_never_begins(app: Project, control: Celery, token: str) -> None:
    identity = direct(control, app, "slow", {"token": token}, countdown=4)
    control.control.revoke(identity, reply=True, timeout=1)
    time.sleep(4.5)
    assert app.notes("slow", token=token) == []


def test_a_queue_can_be_left_and_taken_up_again(app: Project, control: Celery, token: str) -> None:
    """``cancel_consumer`` and ``add_consumer``; the hook is there again afterwards."""
    queue = app.queue("quick")
    control.control.cancel_consumer(queue, reply=True, timeout=1)
    wait_until(lambda: queue not in consumed(control), "a worker without the queue")
    app.emit("quick", {"token": token})
    time.sleep(0.7)
    assert app.notes("quick", token=token) == []
    assert app.depth(queue) == 1
    control.control.add_consumer(queue, reply=True, timeout=1)
    (line,) = app.wait_for("quick", token=token)
    assert line["topic"] == "quick"


def test_a_rate_limit_spreads_the_runs(app: Project, control: Celery, token: str) -> None:
    control.control.rate_limit("step:quick", "2/s", reply=True, timeout=1)
    try:
        for _ in range(5):
            app.emit("quick", {"token": token})
        lines = app.wait_for("quick", 5, token=token)
        assert lines[-1]["at"] - lines[0]["at"] > 1.2
    finally:
        control.control.rate_limit("step:quick", 0, reply=True, timeout=1)


def active(control: Celery) -> list[Any]:
    replies = control.control.inspect(timeout=1).active() or {}
    return [task for tasks in replies.values() for task in tasks]


def consumed(control: Celery) -> set[str]:
    """The queues that workers consume from."""
    replies = control.control.inspect(timeout=0.5).active_queues() or {}
    return {queue["name"] for queues in replies.values() for queue in queues}


def goes_on(app: Project, token: str) -> None:
    app.emit("quick", {"token": f"{token}-after"})
    app.wait_for("quick", token=f"{token}-after")
