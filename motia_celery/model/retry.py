"""The retry policy: a pure function from an attempt to a decision; others carry it out."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

#: BullMQ's fixed backoff in Motia is 2 s; it is the first step of the exponential one here.
DEFAULT_BACKOFF_SECONDS = 2.0
DEFAULT_BACKOFF_CAP_SECONDS = 600.0
DEFAULT_MAX_RETRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often a failed run is tried again, and how long to wait before each attempt."""

    max_attempts: int = DEFAULT_MAX_RETRIES + 1
    backoff_seconds: float = DEFAULT_BACKOFF_SECONDS
    backoff_cap_seconds: float = DEFAULT_BACKOFF_CAP_SECONDS


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Run again after ``delay_seconds``."""

    delay_seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No attempt is left: the event belongs to the dead letters."""


Decision = TryAgain | GiveUp


def decide(
    policy: RetryPolicy, attempt: int, uniform: Callable[[float, float], float] = random.uniform
) -> Decision:
    """What follows when ``attempt`` (from 1) failed.

    The wait doubles from ``backoff_seconds`` up to the cap, and a random half of it is taken
    off, so that a burst of failures does not come back as a burst.
    """
    if attempt >= policy.max_attempts:
        return GiveUp()
    wait = min(policy.backoff_cap_seconds, policy.backoff_seconds * 2.0 ** min(attempt - 1, 64))
    return TryAgain(uniform(wait / 2, wait))
