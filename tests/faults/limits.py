"""Scenarios in which RabbitMQ works as configured, at its limits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from faults.scenario import scenario
from faults.stage import Stage
from faults.tally import Tally
from integration.apps import wait_until


@scenario("queue-full")
def queue_full(stage: Stage) -> Tally:
    """Two queues are full (a policy of ``max-length``): emits are refused until workers come."""
    app = stage.open()
    (web,), _ = app.run(workers=0)
    full = {
        "pattern": r"^faults\.q\.(left|last)$",
        "definition": {"max-length": 20},
        "apply-to": "queues",
    }
    stage.rabbitmq.api("PUT", f"/policies/{stage.vhost}/full", full)
    load = stage.load(web)
    for _ in range(6):
        load.burst(20)
    assert load.refused, "no emit was refused"
    clean = ("http: 503", "emit: the broker refused the message")
    assert all(reason.startswith(clean) for reason in load.reasons), load.reasons
    app.worker("--exclude", "last")
    wait_until(lambda: stage.queue("last").get("messages", 0) >= 20, "last's queue is full", 60)
    load.burst(20)
    app.worker()
    return stage.tally(load)


@scenario("memory-alarm")
def memory_alarm(stage: Stage) -> Tally:
    """RabbitMQ is short of memory (in the long form then of disk): publishing is blocked.

    Runs that emit nothing go on to their end, and are acknowledged, while it lasts.
    """
    # Runs that wait for their emits leave slots for those that have none.
    app = stage.open(emit_timeout_seconds=5, concurrency=200)
    (web,), _ = app.run(workers=0)
    load = stage.load(web, work=0.3)
    alarms = (_MEMORY, _DISK) if stage.long else (_MEMORY,)
    for alarm in alarms:
        load.burst(60)
        with _raised(stage, alarm):
            worker = app.worker()
            load.burst(10)
            wait_until(lambda: not stage.queue("right").get("messages", 1), "acks", 60)
        if alarm is not alarms[-1]:
            stage.rest(load.sent)
            worker.terminate(60)
    assert load.refused, "emits were confirmed in spite of the alarm"
    return stage.tally(load)


@dataclass(frozen=True)
class _Alarm:
    name: str
    begin: tuple[str, str]
    end: tuple[str, str]


_MEMORY = _Alarm(
    "mem_alarm", ("set_vm_memory_high_watermark", "0"), ("set_vm_memory_high_watermark", "0.4")
)
_DISK = _Alarm(
    "disk_free_alarm", ("set_disk_free_limit", "900000GB"), ("set_disk_free_limit", "50MB")
)


@contextmanager
def _raised(stage: Stage, alarm: _Alarm) -> Iterator[None]:
    def rings() -> bool:
        return any(node.get(alarm.name) for node in stage.rabbitmq.api("GET", "/nodes"))

    stage.rabbitmq.ctl(*alarm.begin)
    try:
        wait_until(rings, alarm.name)
        yield
    finally:
        stage.rabbitmq.ctl(*alarm.end)
    wait_until(lambda: not rings(), f"the end of {alarm.name}")


@scenario("consumer-timeout")
def consumer_timeout(stage: Stage) -> Tally:
    """Runs take longer than RabbitMQ's consumer timeout: it closes their channel, with all of it.

    Each of these runs is slow when it begins for the first time, and quick when it comes again.
    """
    node = stage.rabbitmq
    node.ctl("eval", "application:set_env(rabbit, consumer_timeout, 4000).")
    node.ctl("eval", "application:set_env(rabbit, channel_tick_interval, 1000).")
    try:
        app = stage.open()
        (web,), _ = app.run()
        with stage.load(web, rate=20, slow=stage.lasting(7, 30)) as load:
            time.sleep(stage.lasting(8, 30))
        return stage.tally(load)
    finally:
        node.ctl("eval", "application:set_env(rabbit, consumer_timeout, 1800000).")
        node.ctl("eval", "application:set_env(rabbit, channel_tick_interval, 60000).")
