"""The harness sees a loss where there is one; and Redis as the broker loses next to nothing."""

from __future__ import annotations

import pytest
from faults.conftest import Play
from faults.control import early_acks, no_confirms
from faults.process_faults import worker_killed

pytestmark = pytest.mark.timeout(600)


def test_early_acks_lose(play: Play) -> None:
    assert play(early_acks, "rabbitmq").lost


def test_sending_without_confirms_loses(play: Play) -> None:
    assert play(no_confirms, "rabbitmq").lost


def test_redis_as_the_broker_loses_little_when_workers_are_killed(play: Play) -> None:
    """A message that a worker was just taking is gone with it, and nothing else."""
    tally = play(worker_killed, "redis")
    assert tally.lost <= tally.sent / 100
