"""Nothing is lost when processes of the app are killed or replaced, under load."""

from __future__ import annotations

import pytest
from faults.conftest import Play
from faults.process_faults import (
    beat_killed,
    node_killed,
    pool_child_killed,
    replay_killed,
    rolling_restart,
    worker_killed,
)

pytestmark = pytest.mark.timeout(600)


def test_nothing_is_lost_when_workers_are_killed(play: Play) -> None:
    play(worker_killed, "rabbitmq")


def test_nothing_is_lost_when_pool_processes_are_killed(play: Play) -> None:
    play(pool_child_killed, "rabbitmq")


def test_nothing_is_lost_when_node_is_killed(play: Play) -> None:
    play(node_killed, "rabbitmq")


def test_each_slot_runs_once_when_the_leading_beat_is_killed(play: Play) -> None:
    play(beat_killed, "rabbitmq")


def test_a_rolling_restart_loses_and_repeats_nothing(play: Play) -> None:
    """And refuses no request."""
    play(rolling_restart, "rabbitmq")


def test_a_replay_of_dead_letters_that_is_killed_loses_nothing(play: Play) -> None:
    play(replay_killed, "rabbitmq")
