"""Beat: sends an event to each cron Step's queue when its time comes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from motia_celery.broker.schedule import beat_schedule, run_beat, scheduler_class
from motia_celery.model.event import Event
from motia_celery.observe.spans import sending
from motia_celery.plan.schedule import tick_id
from motia_celery.run.app import App, Told, report_problems
from motia_celery.run.urls import require_urls
from motia_celery.run.worker import celery_of
from motia_celery.stores.heartbeat import Heartbeat

if TYPE_CHECKING:
    from motia_celery.plan import Plan
    from motia_celery.settings import Settings


def beat(settings: Settings, told: Told | None = None) -> None:
    """Runs beat until it is told to stop; any number of them may run, one of them sends.

    Raises:
        SettingsError: a server's URL can not be used.
    """
    require_urls(settings)
    app = App(settings, told or {})
    report_problems(app.plan)
    celery = celery_of(app)
    app.trace_as("beat")
    app.carrier.ensure()
    celery.conf.beat_schedule = beat_schedule(app.plan.schedules)
    steps = {entry.name: entry.step for entry in app.plan.schedules}

    controls = app.controls
    heartbeat = Heartbeat(app.brief_client, settings.prefix)

    def send(entry_name: str, slot: datetime) -> None:
        if steps[entry_name] in controls.read().paused:
            return  # else its slots would pile up, and run in a heap when it is resumed
        tick = tick_event(app.plan, steps[entry_name], slot)
        queue = app.plan.topology.by_step[steps[entry_name]]
        with sending(tick, None, queue.name) as placed:
            app.publisher.send_blocking(placed, queue)

    try:
        run_beat(celery, scheduler_class(send, heartbeat.beat), settings.log_level)
    finally:
        app.close()


def tick_event(plan: Plan, step: str, slot: datetime) -> Event:
    """The event of one tick: the same id from every beat, so that no slot runs twice."""
    return Event(
        topic="",
        data=None,
        id=tick_id(plan.prefix, step, slot),
        timestamp_ms=int(slot.astimezone(UTC).timestamp() * 1000),
    )
