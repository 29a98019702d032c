"""The retry policy: a pure function from an attempt to a decision; others carry it out."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

#: BullMQ's fixed backoff in Motia is 2 s; it is the first step of the exponential one here.
DEFAULT_BACKOFF_SECONDS = 2.0
DEFAULT_BACKOFF_CAP_SECONDS = 600.0
DEFAULT_MAX_RETRIES = 3

_COUNTED_WAITS = 10_000

#: How the waits between attempts grow; a tuple lists them, and its last one is repeated.
Backoff = Literal["exponential", "fixed"] | tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often a failed run is tried again, after which errors, and how long it waits before.

    ``jitter`` is the largest part of a wait, 0 to 1, that is taken off at random, so that a burst
    of failures does not come back as a burst. ``only`` and ``never`` hold names of errors; without
    ``only`` every error is tried again.
    """

    max_attempts: int = DEFAULT_MAX_RETRIES + 1
    backoff: Backoff = "exponential"
    backoff_seconds: float = DEFAULT_BACKOFF_SECONDS
    backoff_cap_seconds: float = DEFAULT_BACKOFF_CAP_SECONDS
    jitter: float = 0.5
    only: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Run again after ``delay_seconds``."""

    delay_seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No further attempt: the event belongs to the dead letters."""


Decision = TryAgain | GiveUp


def decide(
    policy: RetryPolicy,
    attempt: int,
    error_names: Collection[str] = (),
    uniform: Callable[[float, float], float] = random.uniform,
) -> Decision:
    """What follows when ``attempt`` (from 1) failed with an error of these names."""
    if attempt >= policy.max_attempts or not _is_retried(policy, error_names):
        return GiveUp()
    wait = min(policy.backoff_cap_seconds, _wait(policy, attempt))
    return TryAgain(uniform(wait * (1 - policy.jitter), wait) if policy.jitter else wait)


def total_wait_seconds(policy: RetryPolicy) -> float:
    """The longest that a run may wait between all its attempts."""
    waits = min(policy.max_attempts - 1, _COUNTED_WAITS)
    return sum(min(policy.backoff_cap_seconds, _wait(policy, n + 1)) for n in range(waits))


def _is_retried(policy: RetryPolicy, error_names: Collection[str]) -> bool:
    if any(name in error_names for name in policy.never):
        return False
    return not policy.only or any(name in error_names for name in policy.only)


def _wait(policy: RetryPolicy, attempt: int) -> float:
    if isinstance(policy.backoff, tuple):
        return policy.backoff[min(attempt, len(policy.backoff)) - 1]
    if policy.backoff == "fixed":
        return policy.backoff_seconds
    return policy.backoff_seconds * 2.0 ** min(attempt - 1, 64)
