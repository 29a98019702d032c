"""A cron expression as Celery's beat knows schedules."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from celery.schedules import BaseSchedule, schedstate

from motia_celery.errors import CronError
from motia_celery.model.cron import Cron

if TYPE_CHECKING:
    from collections.abc import Callable

    from celery import Celery


class CronSchedule(BaseSchedule):
    """A cron expression in a time zone, as a Celery schedule that redbeat can store."""

    def __init__(
        self,
        expression: str,
        timezone: str = "UTC",
        nowfun: Callable[[], datetime] | None = None,
        app: Celery | None = None,
    ) -> None:
        super().__init__(nowfun=nowfun, app=app)
        self.cron = Cron(expression, timezone)

    def next_after(self, moment: datetime) -> datetime | None:
        """The first slot later than ``moment``, or None when it never fires again."""
        try:
            return self.cron.next_after(moment)
        except CronError:
            return None

    def due_slot(self, last_run_at: datetime) -> datetime | None:
        """The latest slot since ``last_run_at`` that has come, or None."""
        return self.cron.latest_between(last_run_at, self.now())

    def remaining_estimate(self, last_run_at: datetime) -> timedelta | None:
        """The time from now to the first slot after ``last_run_at``; None when there is none."""
        following = self.next_after(last_run_at)
        return following - self.now() if following else None

    def is_due(self, last_run_at: datetime) -> schedstate:
        """Whether a slot has come since ``last_run_at``, and the seconds to the next one."""
        remaining = self.remaining_estimate(self.now())
        return schedstate(
            self.due_slot(last_run_at) is not None,
            remaining.total_seconds() if remaining else None,
        )

    def __repr__(self) -> str:
        return f"<cron: {self.cron.expression} {self.cron.timezone}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CronSchedule) and other.cron == self.cron

    def __hash__(self) -> int:
        return hash(self.cron)

    def __reduce__(self) -> tuple[type[CronSchedule], tuple[str, str]]:
        return type(self), (self.cron.expression, self.cron.timezone)
