"""Nothing is lost at RabbitMQ's own limits: full queues, no memory, runs that take too long."""

from __future__ import annotations

import pytest
from faults.conftest import Play
from faults.limits import consumer_timeout, memory_alarm, queue_full

pytestmark = pytest.mark.timeout(600)


def test_full_queues_refuse_and_lose_nothing(play: Play) -> None:
    play(queue_full, "rabbitmq")


def test_a_memory_alarm_blocks_senders_and_not_acknowledgements(play: Play) -> None:
    play(memory_alarm, "rabbitmq")


def test_runs_longer_than_the_consumer_timeout_lose_nothing(play: Play) -> None:
    play(consumer_timeout, "rabbitmq")
