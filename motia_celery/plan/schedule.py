"""The app's schedule: one entry for each cron trigger, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from motia_celery.model.changed import change_topic
from motia_celery.model.cron import both_days, cron_fault, timezone_fault
from motia_celery.model.event import Event, derived_id
from motia_celery.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from motia_celery.model.step import CronTrigger, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleEntry:
    """When the clock starts a Step; ``index`` counts the Step's cron triggers from 0, ``trigger``
    all of its triggers.
    """

    step: str
    expression: str
    timezone: str
    index: int = 0
    trigger: int = 0

    @property
    def name(self) -> str:
        """The entry's name: the Step's, with ``#2`` for its second cron trigger."""
        return self.step if self.index == 0 else f"{self.step}#{self.index + 1}"


def compile_schedules(
    steps: Iterable[Step], default_timezone: str
) -> tuple[tuple[ScheduleEntry, ...], tuple[Problem, ...]]:
    """The entries of all the Steps, and the problems of those that can not run or may surprise.

    An entry with an error is left out: better no tick than one at the wrong time.
    """
    problems = list(_default_timezone_problems(default_timezone))
    entries: list[ScheduleEntry] = []
    for step, index, place, trigger in _cron_triggers(steps):
        found = tuple(_trigger_problems(step, trigger))
        problems.extend(found)
        timezone = trigger.timezone or default_timezone
        if timezone_fault(timezone) or any(problem.severity == "error" for problem in found):
            continue
        entries.append(
            ScheduleEntry(
                step=step.name,
                expression=trigger.expression,
                timezone=timezone,
                index=index,
                trigger=place,
            )
        )
    return tuple(entries), tuple(problems)


def tick_id(prefix: str, entry: str, slot: datetime) -> str:
    """The event id of one tick: the same from every beat, and on every try to send it."""
    return derived_id("cron", prefix, entry, slot.isoformat())


def tick_event(prefix: str, entry: ScheduleEntry, slot: datetime) -> Event:
    """The event of one tick. Of a Step's cron triggers only the first needs no topic."""
    return Event(
        topic=change_topic("cron", entry.trigger) if entry.index else "",
        data=None,
        id=tick_id(prefix, entry.name, slot),
        timestamp_ms=int(slot.astimezone(UTC).timestamp() * 1000),
    )


def _cron_triggers(steps: Iterable[Step]) -> Iterator[tuple[Step, int, int, CronTrigger]]:
    """Each cron trigger of each Step, with its number among those, and among all triggers."""
    for step in steps:
        places = [i for i, trigger in enumerate(step.triggers) if trigger in step.crons]
        for index, trigger in enumerate(step.crons):
            yield step, index, places[index], trigger


def _default_timezone_problems(name: str) -> Iterator[Problem]:
    if fault := timezone_fault(name):
        yield Problem(
            what=f"the setting timezone: {fault}; cron Steps without a timezone do not run",
            fix="Set timezone in config/, or MOTIA_TIMEZONE, to an IANA name such as UTC.",
        )


def _trigger_problems(step: Step, trigger: CronTrigger) -> Iterator[Problem]:
    if fault := cron_fault(trigger.expression):
        yield Problem(
            file=step.file,
            what=f"Step {step.name!r}: {fault}",
            fix='Correct the cron expression; "0 9 * * MON-FRI" is each working day at nine.',
        )
    if trigger.timezone and (fault := timezone_fault(trigger.timezone)):
        yield Problem(
            file=step.file,
            what=f"Step {step.name!r}: {fault}",
            fix="Correct the timezone, or leave it out for the app's own.",
        )
    if both_days(trigger.expression):
        yield Problem(
            file=step.file,
            what=f"Step {step.name!r}: cron {trigger.expression!r} gives a day of month and a "
            "weekday, and fires only when both match",
            fix="Leave one of them '*', or keep both if that is meant; "
            "system cron would take either.",
            severity="warning",
        )
