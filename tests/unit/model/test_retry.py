"""Retry decisions are pure: an attempt goes in, a wait or an end comes out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from motia_celery.model.retry import GiveUp, RetryPolicy, TryAgain, decide, total_wait_seconds

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
    waits = [decide(POLICY, attempt, uniform=longest) for attempt in range(1, 8)]
    assert waits == [TryAgain(seconds) for seconds in (2, 4, 8, 16, 32, 60, 60)]


@given(st.integers(1, 10**9))
def test_the_jitter_takes_off_half_at_most(attempt):
    policy = RetryPolicy(max_attempts=10**9 + 1, backoff_seconds=2, backoff_cap_seconds=600)
    decision, full = decide(policy, attempt), decide(policy, attempt, uniform=longest)
    assert isinstance(decision, TryAgain)
    assert isinstance(full, TryAgain)
    assert full.delay_seconds / 2 <= decision.delay_seconds <= full.delay_seconds <= 600


def test_a_burst_of_failures_does_not_come_back_as_one():
    assert len({decide(POLICY, 5) for _ in range(20)}) > 10


def test_a_fixed_backoff_stays():
    policy = RetryPolicy(backoff="fixed", backoff_seconds=5, jitter=0)
    assert [decide(policy, attempt) for attempt in (1, 2, 3)] == [TryAgain(5)] * 3


def test_a_list_is_followed_and_its_last_wait_repeated():
    policy = RetryPolicy(max_attempts=9, backoff=(1, 7), jitter=0)
    assert [decide(policy, attempt) for attempt in (1, 2, 3)] == [
        TryAgain(1),
        TryAgain(7),
        TryAgain(7),
    ]


def test_only_the_named_errors_are_tried_again():
    policy = RetryPolicy(only=("ConnectionError",))
    assert isinstance(decide(policy, 1, ("BrokenPipeError", "ConnectionError")), TryAgain)
    assert decide(policy, 1, ("ValueError",)) == GiveUp()


def test_never_counts_before_only():
    policy = RetryPolicy(only=("OSError",), never=("FileNotFoundError",))
    assert decide(policy, 1, ("FileNotFoundError", "OSError")) == GiveUp()
    assert isinstance(decide(policy, 1, ("OSError",)), TryAgain)


_POLICIES = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 50),
    backoff=st.one_of(
        st.sampled_from(["exponential", "fixed"]),
        st.lists(st.floats(0, 1e6), min_size=1).map(tuple),
    ),
    backoff_seconds=st.floats(0, 1e6),
    backoff_cap_seconds=st.floats(0, 1e6),
    jitter=st.floats(0, 1),
    never=st.lists(st.text(), max_size=3).map(tuple),
)


@given(_POLICIES, st.integers(1, 100), st.lists(st.text(), max_size=3))
def test_every_policy_decides(policy, attempt, names):
    """A wait lies within the cap; past the attempts, and for `never`, there is none."""
    decision = decide(policy, attempt, names)
    if attempt >= policy.max_attempts or set(names) & set(policy.never):
        assert decision == GiveUp()
    else:
        assert isinstance(decision, TryAgain)
        assert 0 <= decision.delay_seconds <= policy.backoff_cap_seconds


def test_the_longest_wait_of_a_run_is_the_sum_of_all():
    """Without jitter, which only shortens; the cap counts, and a list repeats its last wait."""
    assert total_wait_seconds(RetryPolicy(max_attempts=1)) == 0
    assert total_wait_seconds(RetryPolicy(max_attempts=4)) == 2 + 4 + 8
    capped = RetryPolicy(max_attempts=4, backoff_cap_seconds=3)
    assert total_wait_seconds(capped) == 2 + 3 + 3
    assert total_wait_seconds(RetryPolicy(max_attempts=4, backoff=(1, 5))) == 1 + 5 + 5
    assert total_wait_seconds(RetryPolicy(max_attempts=10**9)) > 10**5
