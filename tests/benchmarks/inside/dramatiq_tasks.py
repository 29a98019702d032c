"""The benchmark's tasks on Dramatiq: it acks late by itself; quorum queues need these lines."""

from __future__ import annotations

import os
import time
from typing import Any

import dramatiq
from bench_ticks import line, tick
from dramatiq.brokers.rabbitmq import RabbitmqBroker


class QuorumBroker(RabbitmqBroker):
    """Dramatiq's broker, whose queues are quorum queues."""

    def _build_queue_arguments(self, queue_name: str) -> dict[str, Any]:
        return {**super()._build_queue_arguments(queue_name), "x-queue-type": "quorum"}


broker = QuorumBroker(
    url=os.environ["BENCH_BROKER"], confirm_delivery=os.environ.get("BENCH_CONFIRM") == "1"
)
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name="bench")
def noop(data: dict[str, Any]) -> None:
    tick()


@dramatiq.actor(queue_name="bench")
def wait(data: dict[str, Any]) -> None:
    time.sleep(0.1)
    tick()


@dramatiq.actor(queue_name="bench")
def stamp(data: dict[str, Any]) -> None:
    line(str(time.time() - data["sent"]))


def send(task: str, data: dict[str, Any]) -> None:
    """Publishes a task."""
    broker.get_actor(task).send(data)
