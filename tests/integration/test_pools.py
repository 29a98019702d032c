"""The three pools, under either command; and the async pool's limits and controls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery
from integration.apps import Project, wait_until

from motia_celery.broker.celery_app import create_celery
from motia_celery.plan import Plan, compile_plan

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


@pytest.mark.parametrize("pool", POOLS)
def test_every_pool_works_on_redis(make_project: Callable[..., Project], pool: str) -> None:
    check_pool(make_project(None), pool, "motia-celery")


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


def test_a_backlog_of_two_hundred_is_done_in_about_a_second(on_rabbitmq: Project) -> None:
    project = on_rabbitmq
    project.step("sleepy", ["sleepy"])
    for number in range(200):
        project.emit("sleepy", {"sleep": 0.5, "token": number})
    project.worker(concurrency=200)
    done = project.wait_for("sleepy", 200, seconds=20)
    begun = project.notes("sleepy", "begun")
    assert overlap(begun, done) >= 150
    assert max(d["at"] for d in done) - min(b["at"] for b in begun) < 2.5


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
def controlled(on_rabbitmq: Project) -> Iterator[tuple[Project, Celery]]:
    """A worker with one Step, and a Celery app to control it with."""
    project = on_rabbitmq
    project.step("slow", ["slow"], retries=0)
    project.step("quick", ["quick"], retries=0)
    project.worker()
    app = create_celery(project.settings(), plan_of(project), invoke=never, publisher=never)
    yield project, app
    app.close()


def plan_of(project: Project) -> Plan:
    """A plan with no Steps but the project's names: what another service's Celery app knows."""
    return compile_plan(prefix=project.prefix, timezone="UTC", steps=(), streams=(), problems=())


def never(*_: Any) -> Any:
    raise AssertionError


def direct(app: Celery, project: Project, step: str, data: Any, **options: Any) -> str:
    result = app.send_task(
        f"step:{step}", args=[data], queue=queue_named(app, project, step), **options
    )
    return str(result.id)


def queue_named(app: Celery, project: Project, step: str) -> Any:
    from kombu import Queue

    return Queue(project.queue(step), no_declare=True)


def test_send_task_calls_a_step(controlled: tuple[Project, Celery]) -> None:
    project, app = controlled
    identity = direct(app, project, "quick", {"token": "t"})
    (line,) = project.wait_for("quick")
    assert (line["run"], line["data"]) == (identity, {"token": "t"})


def test_send_task_waits_for_its_countdown(controlled: tuple[Project, Celery]) -> None:
    project, app = controlled
    sent = time.time()
    direct(app, project, "quick", {"token": "t"}, countdown=1.5)
    (line,) = project.wait_for("quick")
    assert 1.3 <= line["at"] - sent <= 5


def test_a_hard_time_limit_ends_a_run(controlled: tuple[Project, Celery]) -> None:
    """The handler is cut short, which is a failure like any other."""
    project, app = controlled
    direct(app, project, "slow", {"sleep": 6}, time_limit=1)
    (letter,) = project.dead_letters()
    assert letter.headers["motia-error-type"] == "TimeLimitExceeded"
    assert active(app) == []
    assert project.notes("slow", "done") == []
    goes_on(project)


def test_a_soft_time_limit_ends_a_run(controlled: tuple[Project, Celery]) -> None:
    project, app = controlled
    direct(app, project, "slow", {"sleep": 6}, soft_time_limit=1)
    (letter,) = project.dead_letters()
    assert letter.headers["motia-step"] == "slow"
    assert letter.headers["motia-error-type"] == "SoftTimeLimitExceeded"
    assert project.notes("slow", "done") == []
    goes_on(project)


def test_revoke_terminates_a_run(controlled: tuple[Project, Celery]) -> None:
    project, app = controlled
    identity = direct(app, project, "slow", {"sleep": 8})
    project.wait_for("slow", 1, "begun")
    assert [task["id"] for task in active(app)] == [identity]
    app.control.revoke(identity, terminate=True)
    wait_until(lambda: active(app) == [], "no active task", 5)
    time.sleep(1)
    assert len(project.notes("slow", "begun")) == 1
    assert project.notes("slow", "done") == []
    assert project.depth(project.queue("slow")) == 0
    assert project.take(project.names.dead_letter_queue) == []
    goes_on(project)


def test_a_revoked_run_never_begins(controlled: tuple[Project, Celery]) -> None:
    project, app = controlled
    identity = direct(app, project, "slow", {"sleep": 0}, countdown=1.5)
    app.control.revoke(identity, reply=True, timeout=1)
    time.sleep(2)
    assert project.notes("slow") == []


def test_a_queue_can_be_left_and_taken_up_again(controlled: tuple[Project, Celery]) -> None:
    """``cancel_consumer`` and ``add_consumer``; the hook is there again afterwards."""
    project, app = controlled
    queue = project.queue("quick")
    app.control.cancel_consumer(queue, reply=True, timeout=1)
    wait_until(lambda: queue not in consumed(app), "a worker without the queue")
    project.emit("quick", {"token": "t"})
    time.sleep(0.7)
    assert project.notes("quick") == []
    assert project.depth(queue) == 1
    app.control.add_consumer(queue, reply=True, timeout=1)
    (line,) = project.wait_for("quick")
    assert line["topic"] == "quick"


def test_a_rate_limit_spreads_the_runs(controlled: tuple[Project, Celery]) -> None:
    project, app = controlled
    app.control.rate_limit("step:quick", "2/s", reply=True, timeout=1)
    for number in range(6):
        project.emit("quick", {"token": number})
    lines = project.wait_for("quick", 6)
    assert lines[-1]["at"] - lines[0]["at"] > 1.5


def active(app: Celery) -> list[Any]:
    replies = app.control.inspect(timeout=1).active() or {}
    return [task for tasks in replies.values() for task in tasks]


def consumed(app: Celery) -> set[str]:
    """The queues that workers consume from."""
    replies = app.control.inspect(timeout=0.5).active_queues() or {}
    return {queue["name"] for queues in replies.values() for queue in queues}


def goes_on(project: Project) -> None:
    project.emit("quick", {"token": "after"})
    project.wait_for("quick", token="after")
