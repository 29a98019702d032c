"""What a consumer does with a delivery that its handler fails on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker.consumer import Consumer

from motia_celery.broker.consumer import StepConsumer


class Message:
    acknowledged = False

    def __init__(self) -> None:
        self.settled: list[str] = []

    def reject_log_error(self, *_: Any) -> None:
        self.settled.append("rejected")


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch) -> StepConsumer:
    """A consumer whose worker fails on each delivery; ``stops`` has it stop meanwhile."""
    consumer: StepConsumer = StepConsumer.__new__(StepConsumer)
    consumer.app = SimpleNamespace()
    consumer.hub = None
    consumer.connection_errors = consumer.channel_errors = ()
    consumer.stops = False

    def handle(_: Message) -> None:
        consumer.takes_deliveries = not consumer.stops
        raise RuntimeError("cannot schedule new futures after shutdown")

    monkeypatch.setattr(Consumer, "create_task_handler", lambda _: handle)
    return consumer


def test_a_delivery_that_the_worker_fails_on_is_buried(consumer: StepConsumer) -> None:
    message = Message()
    consumer.create_task_handler()(message)
    assert message.settled == ["rejected"]


def test_a_delivery_that_a_stopping_worker_fails_on_goes_back_to_its_queue(
    consumer: StepConsumer,
) -> None:
    consumer.stops = True
    message = Message()
    consumer.create_task_handler()(message)
    assert message.settled == []


def test_a_worker_that_stops_takes_no_delivery(consumer: StepConsumer) -> None:
    consumer.takes_deliveries = False
    message = Message()
    consumer.create_task_handler()(message)
    assert message.settled == []
