"""Topology: one queue for each Step that events or the clock start, under one prefix."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from motia_celery.model.step import CronTrigger, EventTrigger, HttpTrigger, QueueOptions, Step
from motia_celery.plan.topology import (
    Names,
    compile_topology,
    partition_names,
    partition_of,
    queue_of,
)


def step(name, *triggers):
    return Step(name=name, file=f"steps/{name}_step.py", language="python", triggers=triggers)


def event(name, *topics):
    return step(name, EventTrigger(topics=topics))


def test_event_and_cron_steps_have_queues_and_others_none():
    topology = compile_topology(
        "motia",
        [
            event("charge", "order.created", "order.*"),
            step("report", CronTrigger(expression="@daily")),
            step("create", HttpTrigger(method="POST", path="/orders")),
            step("drawn"),
        ],
    )
    assert [(q.name, q.task, q.topics) for q in topology.queues] == [
        ("motia.q.charge", "step:charge", ("order.created", "order.*")),
        ("motia.q.report", "step:report", ()),
    ]
    assert topology.by_step["charge"] is topology.queues[0]


def test_every_name_starts_with_the_prefix():
    names = Names("shop")
    everything = (
        names.events,
        names.steps,
        names.dead_letter_exchange,
        names.dead_letter_queue,
        names.default_queue,
        names.queue("a"),
    )
    assert all(name.startswith("shop.") for name in everything)
    assert len(set(everything)) == len(everything)


def test_an_event_reaches_each_queue_that_hears_it_once():
    topology = compile_topology(
        "motia", [event("a", "order.created", "order.#"), event("b", "#"), event("c", "user.*")]
    )
    for _ in range(2):
        assert [q.step for q in topology.subscribers("order.created")] == ["a", "b"]
    assert [q.step for q in topology.subscribers("user.42")] == ["b", "c"]


def test_what_is_remembered_of_topics_is_bounded():
    """Topics may carry ids."""
    topology = compile_topology("motia", [event("a", "user.*")])
    for number in range(10_050):
        topology.subscribers(f"user.{number}")
    assert len(topology._by_topic) == 10_000
    assert [q.step for q in topology.subscribers("user.10049")] == ["a"]


@given(st.lists(st.text(max_size=200), unique=True, min_size=2, max_size=8))
def test_different_steps_never_share_a_queue_whatever_their_names(step_names):
    queues = [Names("motia").queue(name) for name in step_names]
    assert len(set(queues)) == len(queues)
    assert all(len(queue) < 200 and queue.isascii() for queue in queues)
    assert not any(mark in queue for queue in queues for mark in " *#/\n")


def test_a_fifo_step_has_partitions_and_others_none():
    options = QueueOptions(type="fifo", partitions=3)
    ordered = step("pay", EventTrigger(topics=("paid",), queue=options))
    topology = compile_topology("motia", [ordered, event("mail", "paid")])
    assert [queue.partitions for queue in topology.queues] == [3, 0]
    assert partition_names("motia.q.pay", 2) == ("motia.q.pay:0", "motia.q.pay:1")


@given(st.text(), st.integers(0, 255))
def test_a_partition_is_nobody_elses_queue(name, number):
    """Whatever a Step is called."""
    queue = Names("motia").queue(name)
    assert queue_of(queue) == queue
    assert queue_of(partition_names(queue, number + 1)[-1]) == queue


def test_the_place_of_a_group_never_changes():
    """Messages lie in partitions by it, across processes and versions."""
    groups = ["a", "order-17", "Ä/ß", ""]
    assert [partition_of(group, 8) for group in groups] == [7, 4, 7, 6]


def test_a_queue_of_long_runs_has_a_limit_of_its_own():
    """One that may come near RabbitMQ's own, also after a wait for a free slot."""
    short = event("short", "x")
    patient = EventTrigger(topics=("x",), queue=QueueOptions(visibility_timeout_seconds=3600))
    in_line = EventTrigger(topics=("x",), queue=QueueOptions(type="fifo"))
    steps = [
        short,
        replace(short, name="slow", timeout_seconds=1000),
        step("patient", patient),
        replace(step("fifo", in_line), timeout_seconds=3600),
    ]
    topology = compile_topology("motia", steps)
    assert [q.step for q in topology.queues if q.holds_long] == ["slow", "patient"]
