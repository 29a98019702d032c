"""Rules of a Step's traffic: how long what waits has waited, from what was sent and begun."""

from __future__ import annotations

import pytest

from motia_celery.stores.traffic import NOTHING, Passed, Since, Traffic

#: The newest first: 3 messages at 50 s, 2 at 40 s, 10 at 10 s.
SENDS = (Passed(3, 50_000, 0), Passed(2, 40_000, 5), Passed(10, 10_000, 0))


def traffic(floor_ms: float | None = None) -> Traffic:
    return Traffic(sent_per_second=0, begun_per_second=0, sends=SENDS, floor_ms=floor_ms)


@pytest.mark.parametrize(
    ("waiting", "floor", "since"),
    [
        (1, None, Since(50_000, is_bound=False)),
        (3, None, Since(50_000, is_bound=False)),
        (4, None, Since(40_000, is_bound=False)),
        (15, None, Since(10_000, is_bound=False)),
        (16, None, None),
        (4, 30_000, Since(40_000, is_bound=False)),
        # Somebody else's messages wait too: the known ones do not tell.
        (6, 30_000, Since(30_000, is_bound=True)),
        (16, 30_000, Since(30_000, is_bound=True)),
    ],
)
def test_what_waits_are_the_last_that_were_sent_and_nothing_before_what_was_taken(
    waiting: int, floor: float | None, since: Since | None
) -> None:
    assert traffic(floor).oldest(waiting) == since


def test_counts_add_up_and_the_first_send_stays_the_first() -> None:
    begun = Passed(0, 0, 2)
    assert NOTHING + begun + Passed(1, 7, 0) + Passed(2, 9, 1) == Passed(3, 7, 3)
