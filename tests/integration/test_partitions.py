"""The partitions of fifo Steps: how many there are, what a release changes, what they refuse."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
import redis
from integration.apps import Project, wait_until
from integration.fifo import FIFO_STEP, emit, fifo, go, numbers, overlap, spans

from motia_celery.broker.repartition import release_partitions
from motia_celery.broker.topology import drain
from motia_celery.plan.topology import partition_name, partition_names, partition_of
from motia_celery.stores.partitions import PartitionCounts, Partitions

GROUPS = ("a", "b", "c", "d")


def counts_of(project: Project) -> PartitionCounts:
    return PartitionCounts(client_of(project), project.prefix)


def client_of(project: Project) -> redis.Redis:
    return redis.Redis.from_url(project.settings().redis)


def held_by_a_dead_worker(project: Project) -> None:
    """Four messages of each group, in two partitions and the queue, and no worker."""
    fifo(project, partitions=2)
    worker = project.worker()
    for number in range(2):
        for group in GROUPS:
            emit(project, group, number, waits=True)
    project.wait_for("ordered", 1, "begun")
    if project.settings().uses_rabbitmq:
        wait_until(lambda: project.depth(project.queue("ordered")) == 0, "all in partitions")
    worker.kill()
    for number in range(2, 4):
        for group in GROUPS:
            emit(project, group, number)


def release_until(project: Project, text: str) -> None:
    """Releases until it says so; a killed worker is known to be gone after some seconds."""
    wait_until(lambda: text in project.release().words, text, seconds=60)


def check(project: Project) -> None:
    go(project)
    project.worker()
    wait_until(lambda: all(len(set(numbers(project, g))) == 4 for g in GROUPS), "all done", 60)
    for group in GROUPS:
        assert list(dict.fromkeys(numbers(project, group))) == [0, 1, 2, 3]


def test_release_gives_other_partitions(project: Project) -> None:
    """What waits in the old ones is run in order, before what waits behind it."""
    held_by_a_dead_worker(project)
    fifo(project, partitions=5)
    release_until(project, "had 2 partitions and has 5 partitions")
    assert counts_of(project).read() == {project.queue("ordered"): 5}
    check(project)


def test_partitions_are_kept_while_a_worker_serves_them(project: Project) -> None:
    """A rolling deploy of another number changes nothing, and says so."""
    fifo(project, partitions=2)
    project.worker()
    fifo(project, partitions=5)
    assert "keeps its 2 partitions while workers serve it" in project.release().words
    second = project.worker()
    second.wait_for_line("keeps its 2 partitions")
    for number in range(5):
        emit(project, "a", number)
    project.wait_for("ordered", 5)
    assert numbers(project, "a") == list(range(5))


@pytest.mark.parametrize("left", ["gathering", "spreading"])
def test_a_release_that_was_killed_is_resumed(on_rabbitmq: Project, left: str) -> None:
    """Until it is, no worker serves the queue."""
    project = on_rabbitmq
    held_by_a_dead_worker(project)
    queue, counts = project.queue("ordered"), counts_of(project)
    fifo(project, partitions=5)
    counts.begin(queue)
    with project.connection() as connection:
        if left == "gathering":
            declare_aside(project)
            drain(connection, partition_name(queue, 1), f"{queue}:moving")
        else:
            interrupt_spreading(project)
            assert counts.phase(queue) == "spreading"
    refused = project.command("worker")
    assert refused.wait() == 1
    assert "a release that gives it other partitions has not ended" in refused.words
    assert "5 partitions" in project.release().words
    assert counts.phase(queue) is None
    check(project)


def declare_aside(project: Project) -> None:
    with project.channel() as channel:
        channel.queue_declare(
            f"{project.queue('ordered')}:moving",
            durable=True,
            auto_delete=False,
            arguments={"x-queue-type": "quorum"},
        )


def interrupt_spreading(project: Project) -> None:
    """A release that fails once everything is gathered."""

    class Failing(PartitionCounts):
        def put_in_force(self, queue: str, count: int) -> None:
            super().put_in_force(queue, count)
            raise KeyboardInterrupt

    with project.connection() as connection, pytest.raises(KeyboardInterrupt):
        counts = Failing(client_of(project), project.prefix)
        release_partitions(connection, project.topology, counts)


def test_a_step_that_is_not_fifo_any_more_loses_nothing(project: Project) -> None:
    held_by_a_dead_worker(project)
    project.step("ordered", ["work"], source=FIFO_STEP)
    release_until(project, "its Step is not fifo any more")
    go(project)
    project.worker()
    project.wait_for("ordered", 16, seconds=60)
    assert counts_of(project).read() == {}


def test_a_step_that_becomes_fifo_loses_nothing(project: Project) -> None:
    project.step("ordered", ["work"], source=FIFO_STEP)
    for number in range(4):
        emit(project, "a", number)
    fifo(project)
    assert project.release().wait() == 0
    project.worker()
    project.wait_for("ordered", 4)
    assert numbers(project, "a") == [0, 1, 2, 3]


def test_the_partitions_of_a_removed_step_are_deleted(on_rabbitmq: Project) -> None:
    """Once they are empty."""
    project = on_rabbitmq
    held_by_a_dead_worker(project)
    names = partition_names(project.queue("ordered"), 2)
    project.remove("ordered")
    assert "which still hold" in project.release().words
    for name in names:
        with project.channel() as channel:
            channel.queue_purge(name)
    assert "deleted the 2 partitions" in project.release().words
    assert not any(project.exists(name) for name in names)


def test_redis_and_python_agree_on_the_place(redis_url: str, name_prefix: str) -> None:
    """Text, letters of any language, and numbers, which other services may send."""
    client = redis.Redis.from_url(redis_url)
    for group in ("a", "order-17", "Ä/ß 😀", 42, 2**40):
        message = {"headers": {"motia-group": group}, "properties": {}}
        client.lpush(f"{name_prefix}:broker:q", json.dumps(message))
        partitions = Partitions(client, name_prefix, "q", taker=str(group), count=64)
        (taken,) = partitions.take(0, ())
        assert taken.number == partition_of(str(group), 64)
        assert json.loads(taken.payload) == message
        assert partitions.finish(taken)
        partitions.leave()


def test_a_lost_lease_takes_nothing_off(redis_url: str, name_prefix: str) -> None:
    """A process that stood still can not take off what another runs by now, nor prolong it."""
    client = redis.Redis.from_url(redis_url)
    client.lpush(f"{name_prefix}:broker:q", "message")
    slow = Partitions(client, name_prefix, "q", taker="slow", count=1)
    (lost,) = slow.take(1000, ())
    assert slow.take(1001, [lost.number]) == []
    client.delete(f"{name_prefix}:fifo:q:0:lease")  # as when its time is over
    other = Partitions(client, name_prefix, "q", taker="other", count=1)
    (taken,) = other.take(2000, ())
    assert (taken.payload, taken.deliveries) == (b"message", 2)
    assert slow.renew([lost]) == [lost]
    slow.release(lost)
    assert not slow.finish(lost)
    assert other.renew([taken]) == []
    assert other.finish(taken)
    assert other.take(2001, ()) == []


def test_a_message_that_kills_every_worker_is_a_dead_letter(
    make_project: Callable[..., Project],
) -> None:
    """On Redis as on RabbitMQ, which counts deliveries itself."""
    project = make_project(None)
    fifo(project, partitions=1)
    emit(project, "a", 0)
    emit(project, "a", 1)
    key = f"{project.prefix}:fifo:{project.queue('ordered')}:deliveries"
    client_of(project).hset(key, "0", "20")
    project.worker()
    (letter,) = project.dead_letters()
    assert letter.data["number"] == 0
    project.wait_for("ordered", 1)
    assert numbers(project, "a") == [1]


def test_a_message_that_is_no_event_does_not_stop_its_group(project: Project) -> None:
    """It becomes a dead letter, and the next one is run; a group may be a number."""
    fifo(project)
    project.worker()
    queue = project.queue("ordered")
    for number in range(2):
        project.publish(queue, b"no json", headers={"motia-group": 7})
        body = json.dumps({"group": 7, "number": number})
        project.publish(queue, body, headers={"motia-group": 7, "motia-topic": "work"})
    project.wait_for("ordered", 2)
    assert numbers(project, 7) == [0, 1]  # type: ignore[arg-type]
    assert {letter.body for letter in project.dead_letters(2)} == {b"no json"}


def test_celery_knows_the_queue_by_its_step(project: Project) -> None:
    """`-Q` and `inspect active_queues` name the Step's queue, whatever its partitions are."""
    fifo(project)
    project.step("other", ["work"], source=FIFO_STEP)
    project.celery_worker("-Q", project.queue("ordered"), "-n", "only@test")
    emit(project, "a", 0)
    project.wait_for("ordered", 1)
    inspect = ("inspect", "-d", "only@test", "-t", "10", "--json", "active_queues")
    asked = project.start("-m", "celery", "-A", "motia_celery.app", *inspect)
    assert asked.wait() == 0
    (queues,) = json.loads(asked.output[asked.output.index("{") :].splitlines()[0]).values()
    assert [queue["name"] for queue in queues] == [project.queue("ordered")]
    assert project.notes("other") == []


def test_a_steps_delay_keeps_the_order(project: Project) -> None:
    """Each message waits in its place until it is old enough."""
    fifo(project, delaySeconds=2)
    project.worker()
    for number in range(5):
        emit(project, "a", number)
    sent = project.emit("work", {"group": "b", "number": 0}, group="b")
    project.wait_for("ordered", 6)
    assert numbers(project, "a") == [0, 1, 2, 3, 4]
    (begun,) = [n for n in project.notes("ordered", "begun") if n["group"] == "b"]
    assert begun["at"] >= sent.timestamp_ms // 1000 + 2


def test_a_limit_keeps_the_order(project: Project) -> None:
    """One run at a time in all: the others wait, and nothing goes to the tail."""
    fifo(project, concurrency=1, rateLimit="20/s")
    for _ in range(2):
        project.worker()
    for number in range(5):
        for group in GROUPS:
            emit(project, group, number, sleep=(0, 0.02))
    project.wait_for("ordered", 20, seconds=60)
    for group in GROUPS:
        assert numbers(project, group) == [0, 1, 2, 3, 4]
    assert overlap([(begin, end) for begin, end, _ in spans(project.notes("ordered"))]) == 1


def test_cancel_queued_empties_the_partitions(project: Project) -> None:
    """What runs goes on; what waits behind it is dropped."""
    fifo(project, partitions=2)
    project.worker()
    for number in range(3):
        for group in GROUPS:
            emit(project, group, number, waits=True)
    project.wait_for("ordered", 2, "begun")
    cancelled = project.command("cancel", "queued", "ordered", "--yes")
    assert cancelled.wait() == 0, cancelled.output
    begun = len(project.notes("ordered", "begun"))
    go(project)
    project.emit("work", {"group": "e", "number": 0}, group="e", timestamp_ms=later_ms())
    wait_until(lambda: numbers(project, "e") == [0], "a new message")
    assert len(project.notes("ordered", "begun")) == begun + 1


def later_ms() -> int:
    """The next second: events of the second of a cancellation are called off too."""
    return int(time.time() * 1000) + 1000


def test_a_dead_letter_is_replayed_in_its_group(project: Project) -> None:
    """It goes to the end of the line, under its run id, with all its attempts."""
    fifo(project, retries=1)
    project.worker()
    emit(project, "a", 0, fails=9)
    project.publish(project.queue("ordered"), b"no json", headers={"motia-group": "a"})
    emit(project, "a", 1)
    project.wait_for("ordered", 1)
    listed = project.command("dlq", "list", "--json")
    assert listed.wait() == 0, listed.output
    letters = [json.loads(line) for line in listed.output.splitlines()]
    assert [letter["step"] for letter in letters] == ["ordered", "ordered"]
    replayed = project.command("dlq", "replay", "--reason", "failed")
    assert replayed.wait() == 0, replayed.output
    wait_until(lambda: len(numbers(project, "a", "begun")) == 5, "two more attempts")
    begun = [n for n in project.notes("ordered", "begun") if n["number"] == 0]
    assert [line["attempt"] for line in begun] == [1, 2, 1, 2]
    assert len({line["run"] for line in begun}) == 1
