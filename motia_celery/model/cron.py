"""Cron expressions: the one parser that runs, previews and checks them.

An expression has 5 fields (minute, hour, day of month, month, weekday), 6 (seconds first) or 7
(seconds first, year last), or is one of ``@yearly @annually @monthly @weekly @daily @midnight
@hourly``. Where day of month and weekday are both given, both must match.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from motia_celery.errors import CronError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
#: Weekdays fall on the same dates again after 28 years, or 40 across a year like 2100.
_SEARCH_YEARS = 40

_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_PART = re.compile(
    r"(?P<first>\*|\?|[a-z]+|[0-9]{1,9})(?:-(?P<last>[a-z]+|[0-9]{1,9}))?(?:/(?P<step>[0-9]{1,9}))?"
)


def _numbered(first: int, *names: str) -> dict[str, int]:
    """Full names and their first three letters, numbered from ``first``."""
    return {text: i for i, name in enumerate(names, first) for text in (name, name[:3])}


@dataclass(frozen=True, slots=True)
class _Field:
    """One field's name and the values that it takes; ``*`` spans ``low`` to ``high``."""

    name: str
    low: int
    high: int
    names: Mapping[str, int]
    is_day: bool = False


_WEEKDAY_NAMES = _numbered(
    0, "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"
)
_MONTH_NAMES = _numbered(
    1,
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_WEEKDAY = _Field("weekday", 0, 6, _WEEKDAY_NAMES, is_day=True)
_FIELDS = (
    _Field("second", 0, 59, {}),
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of month", 1, 31, {}, is_day=True),
    _Field("month", 1, 12, _MONTH_NAMES),
    _WEEKDAY,
    _Field("year", 1970, 2099, {}),
)


def cron_fault(expression: str) -> str | None:
    """Why ``expression`` can not be used, or None."""
    try:
        times = _parse(expression)
    except CronError as error:
        return error.what
    if times.first_from(datetime(1970, 1, 1)) is None:
        return f"cron {expression!r} never fires: no such date exists"
    return None


def timezone_fault(name: str) -> str | None:
    """Why ``name`` is no time zone, or None."""
    try:
        ZoneInfo(name)
    # Names of folders, absolute paths and names with a NUL each fail in a way of their own.
    except (KeyError, ValueError, OSError, TypeError):
        return f"{name!r} is no IANA time zone; one looks like Europe/Rome or UTC"
    return None


def both_days(expression: str) -> bool:
    """Whether day of month and weekday are both restricted.

    Both must match here, as in node-cron and Celery; Vixie cron would take either.
    """
    try:
        fields = _split(expression)
    except CronError:
        return False
    return not any(fields[i].startswith(("*", "?")) for i in (3, 5))


@dataclass(frozen=True, slots=True)
class Cron:
    """When a cron expression fires, on the clocks of one time zone. Times returned are UTC.

    When clocks go forward, times that are skipped fire once, at the first moment after the gap;
    schedules of every hour just go on. When clocks go back, a repeated time fires the first time
    only; schedules of every hour, or with ``*`` or ``*/n`` as minute, go on in both.

    Raises:
        CronError: the expression or the time zone can not be understood.
    """

    expression: str
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        fault = cron_fault(self.expression) or timezone_fault(self.timezone)
        if fault:
            raise CronError(fault, "cron", "Correct the expression or its time zone.")

    def next_after(self, moment: datetime) -> datetime:
        """The first time later than ``moment`` (aware) at which it fires.

        Raises:
            CronError: it never fires again.
        """
        following = self._next_or_none(moment)
        if following is None:
            raise CronError(
                f"cron {self.expression!r} never fires after {moment.isoformat()}",
                "cron",
                "Correct its day, month or year.",
            )
        return following

    def upcoming(self, moment: datetime, count: int) -> tuple[datetime, ...]:
        """The next ``count`` times after ``moment``; fewer where it ends before."""
        return tuple(islice(self._after(moment), count))

    def latest_between(self, after: datetime, until: datetime) -> datetime | None:
        """The last time later than ``after`` and not later than ``until``, or None.

        It halves the span instead of counting through it: a year of missed seconds costs no more
        than a minute of them.
        """
        latest = self._next_or_none(after)
        if latest is None or latest > until:
            return None
        empty_from = until
        while (following := self._next_or_none(latest)) and following <= until:
            latest = following
            probe = latest + (empty_from - latest) / 2
            beyond = self._next_or_none(probe)
            if beyond and beyond <= until:
                latest = beyond
            else:
                empty_from = probe
        return latest

    def _after(self, moment: datetime) -> Iterator[datetime]:
        following = self._next_or_none(moment)
        while following:
            yield following
            following = self._next_or_none(following)

    def _next_or_none(self, moment: datetime) -> datetime | None:
        times, zone = _parse(self.expression), ZoneInfo(self.timezone)
        start = moment.astimezone(UTC).replace(microsecond=0) + _SECOND
        while True:
            wall = times.first_from(_wall(start, zone))
            if wall is None:
                return None
            fires, place = _place(times, wall, start, zone)
            if fires:
                return place
            start = place


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """What a clock on the wall shows, without the zone."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _place(times: _Times, wall: datetime, start: datetime, zone: ZoneInfo) -> tuple[bool, datetime]:
    """Where a wall clock's time lies in UTC: (True, when it fires) or (False, search from here)."""
    first, second = _readings(wall, zone)
    if first > second:  # skipped: the two readings lie on the two sides of the gap
        return not times.every_hour, _change(second, first, zone)
    if times.ticks and (repeat := _repeat_after(start, zone)) and first >= repeat:
        return False, repeat
    if first >= start:
        return True, first
    if times.ticks:
        return True, second
    return False, _change(first, second, zone) + (second - first)


def _readings(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The wall clock's time by the offset before a change of clocks, and by the one after it."""
    before, after = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return before, after


def _repeat_after(moment: datetime, zone: ZoneInfo) -> datetime | None:
    """When the clocks go back, if they are about to show ``moment``'s time a second time."""
    first, second = _readings(_wall(moment, zone), zone)
    return _change(first, second, zone) if first == moment and first < second else None


def _change(earlier: datetime, later: datetime, zone: ZoneInfo) -> datetime:
    """The moment between the two at which the zone's offset changes."""
    offset = later.astimezone(zone).utcoffset()
    while later - earlier > _SECOND:
        middle = earlier + timedelta(seconds=(later - earlier) // _SECOND // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            later = middle
        else:
            earlier = middle
    return later


@dataclass(frozen=True, slots=True)
class _Times:
    """The values of each field, sorted; ``years`` is None for every year."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    years: frozenset[int] | None
    any_minute: bool

    @property
    def every_hour(self) -> bool:
        return len(self.hours) == 24

    @property
    def ticks(self) -> bool:
        """Whether it goes by time that passes, more than by what the clock shows."""
        return self.every_hour or self.any_minute

    def first_from(self, wall: datetime) -> datetime | None:
        """The first matching time of a wall clock, not before ``wall``."""
        if self._has(wall.date()) and (clock := self._clock_from(wall.time())):
            return datetime.combine(wall.date(), clock)
        day = self._day_after(wall.date())
        return datetime.combine(day, self._first_clock()) if day else None

    def _has(self, day: date) -> bool:
        return (
            day.day in self.days
            and day.month in self.months
            and day.isoweekday() % 7 in self.weekdays
            and (self.years is None or day.year in self.years)
        )

    def _day_after(self, day: date) -> date | None:
        last = min(self._last_year(day.year), date.max.year - 1)
        day += _DAY
        while day.year <= last:
            if day.month not in self.months or (self.years and day.year not in self.years):
                day = _next_month(day)
            elif self._has(day):
                return day
            else:
                day += _DAY
        return None

    def _last_year(self, year: int) -> int:
        return max(self.years) if self.years else year + _SEARCH_YEARS

    def _first_clock(self) -> time:
        return time(self.hours[0], self.minutes[0], self.seconds[0])

    def _clock_from(self, start: time) -> time | None:
        for hour in (h for h in self.hours if h >= start.hour):
            for minute in (m for m in self.minutes if (hour, m) >= (start.hour, start.minute)):
                for second in self.seconds:
                    if (clock := time(hour, minute, second)) >= start:
                        return clock
        return None


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


@lru_cache(maxsize=1024)
def _parse(expression: str) -> _Times:
    """The values of an expression's fields.

    Raises:
        CronError: it can not be understood.
    """
    texts = _split(expression)
    second, minute, hour, day, month, weekday, year = (
        _values(field, text) for field, text in zip(_FIELDS, texts, strict=True)
    )
    return _Times(
        seconds=tuple(sorted(second)),
        minutes=tuple(sorted(minute)),
        hours=tuple(sorted(hour)),
        days=day,
        months=month,
        weekdays=weekday,
        years=None if texts[6] == "*" else year,
        any_minute=texts[1].startswith("*"),
    )


def _split(expression: str) -> tuple[str, ...]:
    """The seven fields' texts, in lower case."""
    text = expression.strip().lower()
    if text.startswith("@"):
        text = _macro(text)
    fields = text.split()
    if len(fields) == 5:
        fields = ["0", *fields]
    if len(fields) == 6:
        fields = [*fields, "*"]
    if len(fields) != 7:
        raise _error(f"cron {expression!r} has {len(fields)} fields, not 5, 6 or 7")
    return tuple(fields)


def _macro(name: str) -> str:
    if name == "@reboot":
        raise _error("cron '@reboot' has no meaning here: no Step belongs to one machine's start")
    if name not in _MACROS:
        raise _error(f"cron {name!r} is unknown; there are {', '.join(_MACROS)}")
    return _MACROS[name]


def _values(field: _Field, text: str) -> frozenset[int]:
    return frozenset().union(*(_part(field, part, text) for part in text.split(",")))


def _part(field: _Field, part: str, text: str) -> frozenset[int]:
    """The values of one part of a list: ``*``, ``7``, ``MON-FRI``, ``10-40/5``, ``5/15``."""
    match = _PART.fullmatch(part)
    if not match or (match["first"] in ("*", "?") and match["last"]):
        raise _error(f"cron field {field.name} {text!r}: {part!r} is not understood")
    if match["first"] == "?" and not field.is_day:
        raise _error(f"cron field {field.name} {text!r}: '?' belongs to a day field")
    low, high = _span(field, match, text)
    step = int(match["step"] or 1)
    if step == 0:
        raise _error(f"cron field {field.name} {text!r}: a step of 0 never ends")
    return frozenset(_folded(field, value) for value in range(low, high + 1, step))


def _span(field: _Field, match: re.Match[str], text: str) -> tuple[int, int]:
    if match["first"] in ("*", "?"):
        return field.low, field.high
    low = _number(field, match["first"], text)
    if not match["last"]:
        return low, max(low, field.high) if match["step"] else low
    high = _number(field, match["last"], text)
    if field is _WEEKDAY and high == 0:  # a week may end with its Sunday: FRI-SUN
        high = 7 if low else 0
    if high < low:
        raise _error(
            f"cron field {field.name} {text!r}: {match[0]!r} runs backwards; write two ranges"
        )
    return low, high


def _number(field: _Field, text: str, whole: str) -> int:
    if not text.isdigit():
        if text not in field.names:
            raise _error(f"cron field {field.name} {whole!r}: {text!r} is not understood")
        return field.names[text]
    value = int(text)
    if not field.low <= value <= (7 if field is _WEEKDAY else field.high):
        raise _error(
            f"cron field {field.name} {whole!r}: {text} is not in {field.low}-{field.high}"
        )
    return value


def _folded(field: _Field, value: int) -> int:
    """Weekday 7 is Sunday, as 0 is."""
    return value % 7 if field is _WEEKDAY else value


def _error(what: str) -> CronError:
    return CronError(what, "cron", 'Write five fields, as in "0 9 * * MON-FRI".')
