"""The options of an emit: read as handlers write them, refused with the reason."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motia_celery.model.emit import EmitOptions, moment
from motia_celery.model.step import LONGEST_DELAY_SECONDS

NOW = 1_900_000_000.0
DAYS = 86400


def read(**given_options):
    return EmitOptions.read(given_options, NOW)


def test_nothing_asked_for_is_sent_at_once():
    assert read() == EmitOptions()


@pytest.mark.parametrize("delay", [0, 0.25, 1, 30, LONGEST_DELAY_SECONDS])
def test_a_delay_is_seconds(delay):
    assert read(delay=delay).delay_seconds == delay


@pytest.mark.parametrize(
    "at",
    [
        datetime.fromtimestamp(NOW + 90, UTC),
        datetime.fromtimestamp(NOW + 90, timezone(timedelta(hours=5, minutes=30))),
        datetime.fromtimestamp(NOW + 90, UTC).isoformat(),
        datetime.fromtimestamp(NOW + 90, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        (NOW + 90) * 1000,
        int((NOW + 90) * 1000),
    ],
    ids=["utc", "other zone", "iso", "as javascript writes it", "float", "int"],
)
def test_at_is_a_moment_in_any_of_its_forms(at):
    assert read(at=at).delay_seconds == 90


def test_a_moment_that_has_passed_is_now():
    assert read(at=(NOW - 5) * 1000).delay_seconds == 0


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"delay": LONGEST_DELAY_SECONDS + 1}, "30 days at most"),
        ({"at": (NOW + 31 * DAYS) * 1000}, "31 days away; an event waits for 30 days at most"),
        ({"delay": -1}, "not negative"),
        ({"delay": "5"}, "delay is '5'"),
        ({"delay": True}, "delay is True"),
        ({"delay": math.nan}, "delay is nan"),
        ({"delay": math.inf}, "delay is inf"),
        ({"at": "tomorrow"}, "at is 'tomorrow'"),
        ({"at": "2030-01-31T09:00:00"}, "without a time zone"),
        ({"at": "2030-01-31"}, "without a time zone"),
        ({"at": datetime(2030, 1, 31)}, "without a time zone"),
        ({"at": math.nan}, "at is nan"),
        ({"at": True}, "at is True"),
        ({"at": {}}, "at is {}"),
        ({"delay": 1, "at": NOW * 1000}, "both given"),
        ({"priority": 10}, "from 0 to 9"),
        ({"priority": -1}, "from 0 to 9"),
        ({"priority": 1.5}, "from 0 to 9"),
        ({"priority": "high"}, "from 0 to 9"),
        ({"priority": True}, "from 0 to 9"),
        ({"id": ""}, "id is ''"),
        ({"id": "x" * 1025}, "at most 1024 characters"),
        ({"id": 1.5}, "id is 1.5"),
        ({"id": "\ud800"}, "id is "),
        ({"outbox": "yes"}, "outbox is 'yes'"),
    ],
)
def test_what_can_not_be_used_is_refused_with_the_reason(options, what):
    with pytest.raises(ValueError, match=r"^(delay|at|priority|id|outbox) ") as caught:
        read(**options)
    assert what in str(caught.value)


def test_the_other_options():
    assert read(priority=7, id=42, outbox=True) == EmitOptions(priority=7, key="42", outbox=True)
    assert read(priority=7.0).priority == 7, "as JavaScript writes it"


@given(st.datetimes(min_value=datetime(1990, 1, 1), timezones=st.just(UTC)))
def test_every_form_of_a_moment_means_the_same(at):
    assert moment(at.isoformat()) == moment(at) == pytest.approx(moment(at.timestamp() * 1000))
