"""The harness sees a loss where there is one; and what Redis as the broker loses ends somewhere."""

from __future__ import annotations

import pytest
from faults.broker_faults import broker_killed
from faults.conftest import Play
from faults.control import early_acks, no_confirms
from faults.process_faults import worker_killed

pytestmark = pytest.mark.timeout(400)


def test_early_acks_lose(play: Play) -> None:
    assert play(early_acks, "rabbitmq").lost


def test_sending_without_confirms_loses(play: Play) -> None:
    assert play(no_confirms, "rabbitmq").lost


def test_redis_as_the_broker_loses_little_when_workers_are_killed(play: Play) -> None:
    """A message that a worker had just taken is gone with it, and nothing else."""
    tally = play(worker_killed, "redis")
    assert tally.lost <= tally.sent / 100


def test_redis_as_the_broker_goes_on_after_it_was_killed(play: Play) -> None:
    tally = play(broker_killed, "redis")
    assert tally.executed > tally.sent / 2
