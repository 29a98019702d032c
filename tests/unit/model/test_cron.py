"""Cron expressions: when they fire, in which zone, and why one is refused."""

from datetime import UTC, datetime, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motia_celery.errors import CronError
from motia_celery.model.cron import Cron, both_days, cron_fault, timezone_fault


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def walls(expression, zone, after, count):
    """The next times as the zone's clocks show them, with their offsets."""
    moments = Cron(expression, zone).upcoming(datetime.fromisoformat(after), count)
    return [m.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M:%S %z") for m in moments]


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("* * * * *", "2025-01-01 00:00:00", "2025-01-01 00:01:00"),
        ("* * * * *", "2025-01-01 00:00:59", "2025-01-01 00:01:00"),
        ("*/15 * * * *", "2025-01-01 00:46:00", "2025-01-01 01:00:00"),
        ("5/20 * * * *", "2025-01-01 00:25:00", "2025-01-01 00:45:00"),
        ("10-40/10 * * * *", "2025-01-01 00:40:00", "2025-01-01 01:10:00"),
        ("1,3,5-7 * * * *", "2025-01-01 00:03:00", "2025-01-01 00:05:00"),
        ("0 9 * * *", "2025-01-01 09:00:00", "2025-01-02 09:00:00"),
        ("30 23 31 12 *", "2025-01-01 00:00:00", "2025-12-31 23:30:00"),
        ("0 0 31 * *", "2025-01-31 00:00:00", "2025-03-31 00:00:00"),
        ("0 0 29 2 *", "2025-01-01 00:00:00", "2028-02-29 00:00:00"),
        ("0 0 29 2 *", "2096-02-29 00:00:00", "2104-02-29 00:00:00"),
        ("0 0 29 FEB MON", "2025-01-01 00:00:00", "2044-02-29 00:00:00"),
        # names, in any case, short and long
        ("0 0 1 JAN *", "2025-01-01 00:00:00", "2026-01-01 00:00:00"),
        ("0 0 1 march *", "2025-01-01 00:00:00", "2025-03-01 00:00:00"),
        ("0 12 * * mon-Fri", "2025-01-03 12:00:00", "2025-01-06 12:00:00"),
        ("0 12 * * Saturday", "2025-01-01 00:00:00", "2025-01-04 12:00:00"),
        ("0 12 * * FRI-SUN", "2025-01-04 12:00:00", "2025-01-05 12:00:00"),
        # Sunday is 0 and 7
        ("0 0 * * 0", "2025-01-01 00:00:00", "2025-01-05 00:00:00"),
        ("0 0 * * 7", "2025-01-01 00:00:00", "2025-01-05 00:00:00"),
        ("0 0 * * 6-7", "2025-01-04 00:00:00", "2025-01-05 00:00:00"),
        # both days given: both must match
        ("0 0 13 * FRI", "2025-01-01 00:00:00", "2025-06-13 00:00:00"),
        ("0 0 1-7 * MON", "2025-01-06 00:00:00", "2025-02-03 00:00:00"),
        ("0 0 ? * MON", "2025-01-01 00:00:00", "2025-01-06 00:00:00"),
        # seconds first
        ("*/10 * * * * *", "2025-01-01 00:00:50", "2025-01-01 00:01:00"),
        ("30 0 0 * * *", "2025-01-01 00:00:30", "2025-01-02 00:00:30"),
        # seconds first, year last
        ("0 0 0 1 1 * 2030", "2025-06-01 00:00:00", "2030-01-01 00:00:00"),
        ("0 0 0 1 1 * 2026-2030/2", "2026-01-01 00:00:00", "2028-01-01 00:00:00"),
        ("0 0 9 ? * MON-FRI *", "2025-01-03 09:00:00", "2025-01-06 09:00:00"),
        ("@yearly", "2025-01-01 00:00:00", "2026-01-01 00:00:00"),
        ("@annually", "2025-01-01 00:00:00", "2026-01-01 00:00:00"),
        ("@monthly", "2025-01-01 00:00:00", "2025-02-01 00:00:00"),
        ("@weekly", "2025-01-01 00:00:00", "2025-01-05 00:00:00"),
        ("@daily", "2025-01-01 00:00:00", "2025-01-02 00:00:00"),
        ("@midnight", "2025-01-01 00:00:00", "2025-01-02 00:00:00"),
        ("@Hourly", "2025-01-01 00:00:00", "2025-01-01 01:00:00"),
        ("  0   9 * *  * ", "2025-01-01 00:00:00", "2025-01-01 09:00:00"),
    ],
)
def test_the_next_time_is_the_first_match_later_than_the_moment(expression, after, expected):
    assert Cron(expression).next_after(utc(after)) == utc(expected)


def test_a_fraction_of_a_second_is_not_later_than_itself():
    assert Cron("* * * * * *").next_after(utc("2025-01-01 00:00:00.5")) == utc(
        "2025-01-01 00:00:01"
    )


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "0 fields"),
        ("* * * *", "4 fields"),
        ("* * * * * * * *", "8 fields"),
        ("60 * * * *", "60 is not in 0-59"),
        ("* 24 * * *", "24 is not in 0-23"),
        ("* * 0 * *", "0 is not in 1-31"),
        ("* * * 13 *", "13 is not in 1-12"),
        ("* * * * 8", "8 is not in 0-6"),
        ("* * * * * * 1900", "1900 is not in 1970-2099"),
        ("* * * FOO *", "'foo' is not understood"),
        ("* * * MON *", "'mon' is not understood"),
        ("*/0 * * * *", "a step of 0"),
        ("*/x * * * *", "'*/x' is not understood"),
        ("1,,2 * * * *", "'' is not understood"),
        ("30-10 * * * *", "runs backwards"),
        ("* * * * FRI-MON", "runs backwards"),
        ("*-5 * * * *", "is not understood"),
        ("? * * * *", "belongs to a day field"),
        ("1.5 * * * *", "is not understood"),
        ("٣ * * * *", "is not understood"),
        ("9" * 5000 + " * * * *", "is not understood"),
        ("0 0 L * *", "'l' is not understood"),
        ("@reboot", "'@reboot' has no meaning"),
        ("@often", "'@often' is unknown"),
        ("0 0 30 2 *", "never fires"),
        ("0 0 31 4,6,9,11 *", "never fires"),
        ("0 0 0 29 2 * 2025-2027", "never fires"),
    ],
)
def test_a_fault_says_which_field_is_wrong(expression, words):
    assert words in cron_fault(expression)
    with pytest.raises(CronError):
        Cron(expression)


def test_a_good_expression_has_no_fault():
    assert cron_fault("0 9 * * MON-FRI") is None
    assert cron_fault("0 0 29 2 *") is None


def test_an_expression_whose_years_are_over_never_fires_again():
    cron = Cron("0 0 0 1 1 * 2020")
    assert cron.next_after(utc("2019-06-01")) == utc("2020-01-01")
    with pytest.raises(CronError, match="never fires after"):
        cron.next_after(utc("2020-01-01"))
    assert cron.upcoming(utc("2019-06-01"), 5) == (utc("2020-01-01"),)


@pytest.mark.parametrize(
    "name", ["Mars/Base", "", "Europe", "../etc/passwd", "/etc/localtime", "a\0b", "Europe/Rome "]
)
def test_a_time_zone_that_does_not_exist_is_a_fault(name):
    assert "no IANA time zone" in timezone_fault(name)
    with pytest.raises(CronError):
        Cron("* * * * *", name)


@pytest.mark.parametrize("name", ["UTC", "Europe/Rome", "America/New_York", "Etc/GMT+5"])
def test_a_time_zone_of_the_database_has_no_fault(name):
    assert timezone_fault(name) is None


@pytest.mark.parametrize(
    ("expression", "both"),
    [
        ("0 0 13 * FRI", True),
        ("0 0 0 13 * 5", True),
        ("0 0 0 13 * 5 2030", True),
        ("0 0 * * FRI", False),
        ("0 0 13 * *", False),
        ("0 0 */2 * FRI", False),
        ("0 0 13 * ?", False),
        ("@monthly", False),
        ("nonsense", False),
    ],
)
def test_both_days_are_pointed_out(expression, both):
    assert both_days(expression) is both


class TestZones:
    """Times are those of the zone's clocks."""

    def test_a_zone_shifts_the_time(self):
        assert Cron("0 9 * * *", "Europe/Rome").next_after(utc("2025-01-01")) == utc(
            "2025-01-01 08:00"
        )
        assert Cron("0 9 * * *", "Europe/Rome").next_after(utc("2025-07-01")) == utc(
            "2025-07-01 07:00"
        )
        assert Cron("0 22 * * SUN", "America/New_York").next_after(utc("2025-01-01")) == utc(
            "2025-01-06 03:00"
        )

    def test_results_are_utc_whatever_zone_the_moment_has(self):
        moment = datetime(2025, 1, 1, 12, tzinfo=ZoneInfo("Asia/Tokyo"))
        following = Cron("* * * * *", "Europe/Rome").next_after(moment)
        assert following == utc("2025-01-01 03:01")
        assert following.tzinfo is UTC


class TestClocksGoForward:
    """Rome skips 02:00-03:00 on 30 March 2025, New York on 9 March, Havana midnight on 9 March."""

    @pytest.mark.parametrize(
        ("expression", "zone", "after", "expected"),
        [
            (
                "30 2 * * *",
                "Europe/Rome",
                "2025-03-29T12:00Z",
                ["03-30 03:00:00 +0200", "03-31 02:30:00 +0200"],
            ),
            (
                "30 2 * * *",
                "America/New_York",
                "2025-03-09T00:00-05:00",
                ["03-09 03:00:00 -0400", "03-10 02:30:00 -0400"],
            ),
            (
                "0 0 * * *",
                "America/Havana",
                "2025-03-08T12:00-05:00",
                ["03-09 01:00:00 -0400", "03-10 00:00:00 -0400"],
            ),
            (
                "*/20 2 * * *",
                "Europe/Rome",
                "2025-03-29T12:00Z",
                ["03-30 03:00:00 +0200", "03-31 02:00:00 +0200"],
            ),
            (
                "0 2,3 * * *",
                "Europe/Rome",
                "2025-03-29T12:00Z",
                ["03-30 03:00:00 +0200", "03-31 02:00:00 +0200"],
            ),
        ],
    )
    def test_a_skipped_time_fires_once_right_after_the_gap(self, expression, zone, after, expected):
        assert walls(expression, zone, after, 2) == expected

    def test_schedules_of_every_hour_just_go_on(self):
        assert walls("30 * * * *", "Europe/Rome", "2025-03-30T00:00Z", 2) == [
            "03-30 01:30:00 +0100",
            "03-30 03:30:00 +0200",
        ]
        assert walls("*/30 * * * *", "Europe/Rome", "2025-03-30T00:00Z", 3) == [
            "03-30 01:30:00 +0100",
            "03-30 03:00:00 +0200",
            "03-30 03:30:00 +0200",
        ]


class TestClocksGoBack:
    """Rome shows 02:00-03:00 twice on 26 October 2025, New York 01:00-02:00 on 2 November."""

    @pytest.mark.parametrize(
        ("expression", "zone", "after", "expected"),
        [
            (
                "30 2 * * *",
                "Europe/Rome",
                "2025-10-25T12:00Z",
                ["10-26 02:30:00 +0200", "10-27 02:30:00 +0100"],
            ),
            (
                "15,45 2 * * *",
                "Europe/Rome",
                "2025-10-25T12:00Z",
                ["10-26 02:15:00 +0200", "10-26 02:45:00 +0200", "10-27 02:15:00 +0100"],
            ),
            (
                "30 1 * * *",
                "America/New_York",
                "2025-11-01T12:00Z",
                ["11-02 01:30:00 -0400", "11-03 01:30:00 -0500"],
            ),
            (
                "* 30 2 * * *",
                "Europe/Rome",
                "2025-10-26T00:30:58Z",
                ["10-26 02:30:59 +0200", "10-27 02:30:00 +0100"],
            ),
        ],
    )
    def test_a_repeated_time_fires_the_first_time_only(self, expression, zone, after, expected):
        assert walls(expression, zone, after, len(expected)) == expected

    def test_a_moment_within_the_repeat_leads_to_the_next_day(self):
        assert walls("45 2 * * *", "Europe/Rome", "2025-10-26T01:30Z", 1) == [
            "10-27 02:45:00 +0100"
        ]

    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            (
                "*/30 * * * *",
                ["02:00 +0200", "02:30 +0200", "02:00 +0100", "02:30 +0100", "03:00 +0100"],
            ),
            ("0 * * * *", ["02:00 +0200", "02:00 +0100", "03:00 +0100", "04:00 +0100"]),
            (
                "*/30 1-2 * * *",
                ["02:00 +0200", "02:30 +0200", "02:00 +0100", "02:30 +0100", "01:00 +0100"],
            ),
        ],
    )
    def test_schedules_within_the_hour_go_on_in_both(self, expression, expected):
        shown = walls(expression, "Europe/Rome", "2025-10-25T23:30Z", len(expected))
        assert [f"{wall[6:11]} {wall[15:]}" for wall in shown] == expected

    def test_every_second_never_stops(self):
        """In real time, every-second schedules see no change of clocks at all."""
        for start in ("2025-10-26T00:59:50Z", "2025-10-26T01:59:50Z", "2025-03-30T00:59:50Z"):
            moment = datetime.fromisoformat(start)
            expected = tuple(moment + timedelta(seconds=i) for i in range(1, 21))
            assert Cron("* * * * * *", "Europe/Rome").upcoming(moment, 20) == expected


class TestLatestBetween:
    """The latest time of a span, which is what is left to do after an outage."""

    def test_it_is_the_last_one_not_later_than_the_end(self):
        cron = Cron("0 * * * *")
        assert cron.latest_between(utc("2025-01-01"), utc("2025-01-01 05:00")) == utc(
            "2025-01-01 05:00"
        )
        assert cron.latest_between(utc("2025-01-01"), utc("2025-01-01 05:59:59.9")) == utc(
            "2025-01-01 05:00"
        )

    def test_the_start_itself_does_not_count(self):
        assert Cron("@daily").latest_between(utc("2025-01-01"), utc("2025-01-01 23:59")) is None
        assert Cron("@daily").latest_between(utc("2025-01-02"), utc("2025-01-01")) is None

    def test_an_expression_that_is_over_still_has_its_last_time(self):
        cron = Cron("0 0 0 1 1 * 2020-2022")
        assert cron.latest_between(utc("2019-01-01"), utc("2025-01-01")) == utc("2022-01-01")
        assert cron.latest_between(utc("2022-01-01"), utc("2025-01-01")) is None

    def test_a_year_of_missed_seconds_is_found_at_once(self):
        started = perf_counter()
        latest = Cron("* * 2 * * *").latest_between(utc("2024-01-01"), utc("2025-01-01 12:00"))
        assert latest == utc("2025-01-01 02:59:59")
        assert perf_counter() - started < 1


def field(low, high, names=()):
    number = st.integers(low, high)
    one = number.map(str) | (st.sampled_from(names) if names else number.map(str))
    span = st.tuples(number, number).map(lambda pair: "{}-{}".format(*sorted(pair)))
    step = st.tuples(span | st.just("*"), st.integers(1, 9)).map(lambda p: f"{p[0]}/{p[1]}")
    return st.just("*") | st.lists(one | span | step, min_size=1, max_size=3).map(",".join)


EXPRESSIONS = st.tuples(
    field(0, 59),
    field(0, 59),
    field(0, 23),
    field(1, 28),
    field(1, 12, ["JAN", "jun", "December"]),
    field(0, 7, ["SUN", "wed", "Saturday"]),
).map(" ".join)
MOMENTS = st.datetimes(
    datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)
) | st.sampled_from(
    [utc("2025-03-30 00:59:59"), utc("2025-10-26 00:30"), utc("2025-10-26 01:30:00.25")]
)


def members(text, low, high, names=()):
    """The values of a field, worked out in the plainest way."""
    numbers = {name: i for i, name in names}
    found = set()
    for part in text.lower().split(","):
        span, _, step = part.partition("/")
        first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        start = numbers.get(first[:3]) if first[:3] in numbers else int(first)
        found |= set(range(start, int(last or start) + 1, int(step or 1)))
    return found


def shows(expression, wall):
    second, minute, hour, day, month, weekday = expression.split()
    months = ((1, "jan"), (6, "jun"), (12, "dec"))
    days = ((0, "sun"), (3, "wed"), (6, "sat"))
    return (
        wall.second in members(second, 0, 59)
        and wall.minute in members(minute, 0, 59)
        and wall.hour in members(hour, 0, 23)
        and wall.day in members(day, 1, 31)
        and wall.month in members(month, 1, 12, months)
        and wall.isoweekday() % 7 in {n % 7 for n in members(weekday, 0, 6, days)}
    )


@given(EXPRESSIONS, MOMENTS)
def test_the_next_time_is_later_and_matches_every_field(expression, moment):
    following = Cron(expression).next_after(moment)
    assert following > moment
    assert shows(expression, following)


@given(EXPRESSIONS, MOMENTS, st.integers(1, 86_400))
def test_no_match_is_passed_over(expression, moment, seconds):
    """Any time between the moment and the next one matches nothing."""
    following = Cron(expression).next_after(moment)
    between = moment.replace(microsecond=0) + timedelta(seconds=seconds)
    assert between >= following or not shows(expression, between)


@given(EXPRESSIONS, MOMENTS)
def test_in_a_zone_it_matches_too_or_lies_right_after_a_gap(expression, moment):
    zone = ZoneInfo("Europe/Rome")
    following = Cron(expression, "Europe/Rome").next_after(moment)
    assert following > moment
    before = following - timedelta(seconds=1)
    after_gap = following.astimezone(zone).utcoffset() != before.astimezone(zone).utcoffset()
    assert after_gap or shows(expression, following.astimezone(zone))


@given(EXPRESSIONS, MOMENTS, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_the_latest_between_is_followed_by_none_before_the_end(expression, after, span):
    cron, until = Cron(expression, "Europe/Rome"), after + span
    latest = cron.latest_between(after, until)
    if latest is None:
        assert cron.next_after(after) > until
    else:
        assert after < latest <= until
        assert cron.next_after(latest) > until


@given(st.text(max_size=40))
def test_any_text_is_either_a_cron_or_has_a_fault(text):
    if cron_fault(text) is None:
        assert Cron(text).upcoming(utc("2025-01-01"), 1) is not None
