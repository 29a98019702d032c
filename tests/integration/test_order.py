"""fifo Steps: a group's messages are run in the order of their emits, whatever dies meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
import redis
from integration.apps import Project, wait_until
from integration.fifo import (
    FIFO_STEP,
    check_order,
    emit,
    emit_all,
    fifo,
    go,
    numbers,
    overlap,
    spans,
)
from servers import RabbitNode

from motia_celery.model.event import Event


def test_a_groups_messages_run_in_order(project: Project) -> None:
    """Failed ones are tried again in their place; a standard Step hears the topic as ever."""
    fifo(project)
    project.step("standard", ["work"], source=FIFO_STEP)
    project.worker()
    for number in range(10):
        for group in ("a", "b"):
            emit(project, group, number, fails=number % 2)
    project.wait_for("ordered", 20)
    for group in ("a", "b"):
        assert numbers(project, group) == list(range(10))
    project.wait_for("standard", 20)


def test_order_holds_while_workers_are_killed(project: Project) -> None:
    """20 groups of 30, three workers, two of them killed at random, failures, foreign messages."""
    fifo(project)
    workers = [project.worker(concurrency=20) for _ in range(3)]
    emitting = threading.Thread(target=emit_all, args=(project, 20, 30))
    emitting.start()
    for count in (60, 250):
        project.wait_for("ordered", count, seconds=60)
        doomed = workers.pop(0)
        doomed.kill()
        workers.append(project.worker(concurrency=20))
    emitting.join(60)
    wait_until_done(project, 600)
    check_order(project, 20, 30, kills=2)
    assert len({line["pid"] for line in project.notes("ordered", "done")}) > 1


def test_a_dead_letter_lets_the_next_message_through(project: Project) -> None:
    """Only after the last attempt; other groups do not wait for it."""
    fifo(project, retries=1, delay=0.5)
    project.worker()
    emit(project, "a", 0, fails=9)
    emit(project, "a", 1)
    emit(project, "b", 0)
    (letter,) = project.dead_letters()
    assert letter.data["number"] == 0
    assert letter.headers["motia-attempt"] == 2
    assert letter.headers["motia-group"] == "a"
    wait_until(lambda: numbers(project, "a") == [1], "the next message of the group")
    assert numbers(project, "a", "begun") == [0, 0, 1]
    ended = {(n["group"], n["number"], n["what"]): n["at"] for n in project.notes("ordered")}
    assert ended["b", 0, "done"] < ended["a", 0, "failed"]


def test_attempts_outlive_the_worker(project: Project) -> None:
    """Killed while a group waits, the next worker goes on at once, with the next attempt."""
    fifo(project, delay=600)
    doomed = project.worker()
    emit(project, "a", 0, fails=1)
    emit(project, "a", 1)
    project.wait_for("ordered", 1, "failed")
    doomed.wait_for_line("its group waits")
    doomed.kill()
    project.worker()
    project.wait_for("ordered", 2, seconds=60)
    assert numbers(project, "a") == [0, 1]
    first, _, second, *_ = project.notes("ordered")
    assert (first["run"], first["attempt"]) == (second["run"], 1)
    assert second["attempt"] == 2


def test_stopping_workers_hand_groups_over_in_order(project: Project) -> None:
    """SIGTERM to one worker after the other, under load; what they run ends first."""
    fifo(project)
    workers = [project.worker(soft_shutdown_seconds=2) for _ in range(2)]
    emitting = threading.Thread(target=emit_all, args=(project, 10, 30))
    emitting.start()
    for count in (40, 120):
        project.wait_for("ordered", count, seconds=60)
        workers.append(project.worker(soft_shutdown_seconds=2))
        assert workers.pop(0).terminate() == 0
    emitting.join(60)
    wait_until_done(project, 300)
    check_order(project, 10, 30, kills=2)


def wait_until_done(project: Project, count: int) -> None:
    """Returns once so many different messages are done."""
    wait_until(
        lambda: len({(n["group"], n["number"]) for n in project.notes("ordered", "done")}) == count,
        f"{count} messages done",
        seconds=120,
    )


def test_a_cancelled_consumer_keeps_the_order(project: Project) -> None:
    """What it runs ends before another worker begins the next message of the group."""
    fifo(project)
    first = project.worker("--name", "first@test")
    emit(project, "a", 0, waits=True)
    for number in range(1, 5):
        emit(project, "a", number)
    project.wait_for("ordered", 1, "begun")
    project.worker("--name", "second@test")
    control(project, "cancel_consumer", project.queue("ordered"), "first@test")
    go(project)
    project.wait_for("ordered", 5, seconds=60)
    assert numbers(project, "a") == [0, 1, 2, 3, 4]
    times = sorted(spans(project.notes("ordered")))
    assert overlap([(begin, end) for begin, end, _ in times]) == 1
    assert [n["pid"] == first.pid for n in project.notes("ordered", "done")][1:] == [False] * 4


def control(project: Project, command: str, queue: str, worker: str) -> None:
    """`celery control …` to one worker."""
    process = project.start(
        "-m",
        "celery",
        "-A",
        "motia_celery.app",
        "control",
        "-d",
        worker,
        "-t",
        "10",
        command,
        queue,
    )
    assert process.wait() == 0, process.output


def test_workers_share_the_partitions(project: Project) -> None:
    """The first one does not keep them all, though it was alone for a while."""
    fifo(project)
    first = project.worker()
    emitting = threading.Thread(target=emit_all, args=(project, 8, 5))
    emitting.start()
    project.wait_for("ordered", 20)
    second = project.worker()
    emitting.join(60)
    rounds = iter(range(5, 1000))

    def both() -> bool:
        number = next(rounds)
        for group in range(8):
            emit(project, f"g{group}", number, sleep=(0, 0.05))
        time.sleep(0.1)
        pids = [line["pid"] for line in project.notes("ordered", "done")[-24:]]
        return {first.pid, second.pid} <= set(pids)

    wait_until(both, "both work", seconds=60)


def test_messages_without_a_group_run_in_parallel(project: Project) -> None:
    """They are promised no order, so they are spread over the partitions."""
    fifo(project)
    project.worker()
    for number in range(16):
        data = {"group": "none", "number": number, "sleep": [0.5, 0.5]}
        project.emit("work", data)
    project.wait_for("ordered", 16)
    times = [(begin, end) for begin, end, _ in spans(project.notes("ordered"))]
    assert overlap(times) > 1


def test_a_direct_send_keeps_its_place(project: Project) -> None:
    """What reaches one Step only, a replay for one, stands in line with its group's events."""
    fifo(project)
    for number in range(0, 10, 2):
        emit(project, "a", number)
        data = {"group": "a", "number": number + 1}
        event = Event(topic="work", data=data, group="a")
        project.publisher.send_blocking(event, project.plan("ordered"))
    project.worker()
    project.wait_for("ordered", 10)
    assert numbers(project, "a") == list(range(10))


def test_emitters_at_once_are_in_order_each(project: Project) -> None:
    """Nobody knows which of two emitters was first, but each one's own messages stay in order."""
    fifo(project)
    project.worker()
    emitters = [
        threading.Thread(
            target=lambda first=first: [emit(project, "a", first + n) for n in range(20)]
        )
        for first in (0, 100)
    ]
    for emitter in emitters:
        emitter.start()
    project.wait_for("ordered", 40)
    done = numbers(project, "a")
    assert [n for n in done if n < 100] == list(range(20))
    assert [n for n in done if n >= 100] == list(range(100, 120))


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_order_in_every_pool(project: Project, pool: str) -> None:
    fifo(project)
    project.worker(pool=pool, concurrency=3)
    for number in range(6):
        for group in ("a", "b", "c"):
            emit(project, group, number, fails=number % 2)
    project.wait_for("ordered", 18, seconds=60)
    for group in ("a", "b", "c"):
        assert numbers(project, group) == list(range(6))


def consumers(rabbitmq: RabbitNode, queue: str) -> int:
    """How many consume from a queue; the queue itself counts those that are not waiting."""
    found = rabbitmq.ctl("list_consumers", "queue_name").split()
    return found.count(queue)


def test_a_broker_that_was_killed_brings_no_two_runs_of_a_group_together(
    make_project: Callable[..., Project], private_rabbitmq: RabbitNode
) -> None:
    """The runs that it interrupted go on, and what it delivers again waits for them."""
    project = make_project(private_rabbitmq.url)
    fifo(project)
    for _ in range(2):
        project.worker()
    for number in range(5):
        for group in range(6):
            emit(project, f"g{group}", number, waits=True)
    project.wait_for("ordered", 2, "begun")
    private_rabbitmq.kill()
    private_rabbitmq.start()
    entry = project.queue("ordered")
    wait_until(lambda: consumers(private_rabbitmq, entry) == 2, "both workers are back", 60)
    time.sleep(1)  # a run that does not wait shows itself
    go(project)
    wait_until_done(project, 30)
    check_order(project, 6, 5, kills=2)


def test_connections_that_break_keep_the_order(make_project: Callable[..., Project]) -> None:
    """Where Redis is the broker: its leases outlive the connection, and nothing stands still."""
    project = make_project(None)
    fifo(project)
    for _ in range(2):
        project.worker()
    emitting = threading.Thread(target=emit_all, args=(project, 6, 20))
    emitting.start()
    with redis.Redis.from_url(project.settings().redis) as client:
        for count in (20, 60):
            project.wait_for("ordered", count, seconds=60)
            client.client_kill_filter(_type="normal", skipme=True)
            client.client_kill_filter(_type="pubsub", skipme=True)
    emitting.join(60)
    wait_until_done(project, 120)
    check_order(project, 6, 20, kills=2)
