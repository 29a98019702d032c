"""Slots that came: the last ones, backwards, and how many lie in a span."""

from datetime import UTC, datetime, timedelta

import pytest

from motia_celery.model.cron import Cron
from motia_celery.model.slots import count_slots, latest_slots


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "until", "expected"),
    [
        ("* * * * * *", "2025-01-01 00:00:01", ["2025-01-01 00:00:01", "2025-01-01 00:00:00"]),
        ("0 6 * * *", "2025-03-10 05:00:00", ["2025-03-09 06:00:00", "2025-03-08 06:00:00"]),
        ("0 0 29 2 *", "2025-01-01 00:00:00", ["2024-02-29 00:00:00", "2020-02-29 00:00:00"]),
        ("0 0 0 1 1 * 2020", "2025-01-01 00:00:00", ["2020-01-01 00:00:00"]),
        ("0 0 0 1 1 * 2030", "2025-01-01 00:00:00", []),
    ],
)
def test_the_last_slots_are_found_backwards(
    expression: str, until: str, expected: list[str]
) -> None:
    assert latest_slots(Cron(expression), utc(until), 2) == tuple(map(utc, expected))


def test_they_are_the_same_as_forwards() -> None:
    cron, start = Cron("*/7 */3 * * *", "Europe/Rome"), utc("2025-03-29 00:00:00")
    forwards = cron.upcoming(start, 60)
    assert latest_slots(cron, forwards[-1], 60) == forwards[::-1]


def test_slots_are_counted_from_the_first_to_before_the_next_one_sent() -> None:
    cron, first = Cron("* * * * *"), utc("2025-01-01 00:00:00")
    assert count_slots(cron, first, first, 100) == 0
    assert count_slots(cron, first, first + timedelta(minutes=5), 100) == 5
    assert count_slots(cron, first, first + timedelta(days=5), 100) == 100
