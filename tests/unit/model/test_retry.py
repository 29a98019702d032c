"""Retry decisions are pure: an attempt goes in, a wait or an end comes out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from motia_celery.model.retry import GiveUp, RetryPolicy, TryAgain, decide

POLICY = RetryPolicy(max_attempts=20, backoff_seconds=2, backoff_cap_seconds=60)


def longest(low: float, high: float) -> float:
    return high


def test_the_default_is_four_attempts():
    """Motia's three retries, after the first attempt."""
    decisions = [decide(RetryPolicy(), attempt) for attempt in (1, 2, 3, 4)]
    assert [type(decision) for decision in decisions] == [TryAgain, TryAgain, TryAgain, GiveUp]


def test_the_last_attempt_and_any_later_one_give_up():
    policy = RetryPolicy(max_attempts=1)
    assert decide(policy, 1) == GiveUp()
    assert decide(policy, 7) == GiveUp()


def test_the_wait_doubles_up_to_the_cap():
    waits = [decide(POLICY, attempt, longest) for attempt in range(1, 8)]
    assert waits == [TryAgain(seconds) for seconds in (2, 4, 8, 16, 32, 60, 60)]


@given(st.integers(1, 10**9))
def test_the_jitter_takes_off_half_at_most(attempt):
    policy = RetryPolicy(max_attempts=10**9 + 1, backoff_seconds=2, backoff_cap_seconds=600)
    decision, full = decide(policy, attempt), decide(policy, attempt, longest)
    assert isinstance(decision, TryAgain)
    assert isinstance(full, TryAgain)
    assert full.delay_seconds / 2 <= decision.delay_seconds <= full.delay_seconds <= 600


def test_a_burst_of_failures_does_not_come_back_as_one():
    assert len({decide(POLICY, 5) for _ in range(20)}) > 10
