"""Nothing is lost when RabbitMQ, Redis or the network fails, under load."""

from __future__ import annotations

import pytest
from faults.broker_faults import broker_killed, broker_paused, network_cut, redis_killed
from faults.conftest import Play

pytestmark = pytest.mark.timeout(600)


def test_nothing_is_lost_when_the_broker_is_killed(play: Play) -> None:
    play(broker_killed, "rabbitmq")


def test_nothing_is_lost_when_the_broker_hangs(play: Play) -> None:
    play(broker_paused, "rabbitmq")


def test_nothing_is_lost_when_redis_is_killed(play: Play) -> None:
    play(redis_killed, "rabbitmq")


def test_nothing_is_lost_when_the_network_is_cut(play: Play) -> None:
    play(network_cut, "rabbitmq")
