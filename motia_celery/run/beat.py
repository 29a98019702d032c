"""Beat: sends an event to each cron Step's queue when its time comes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from motia_celery.broker.schedule import beat_schedule, run_beat, scheduler_class
from motia_celery.observe.spans import sending
from motia_celery.plan.schedule import tick_event
from motia_celery.run.app import App, report_problems
from motia_celery.run.urls import require_urls
from motia_celery.run.worker import celery_of
from motia_celery.stores.heartbeat import Heartbeat

if TYPE_CHECKING:
    from motia_celery.settings import Settings


def beat(settings: Settings) -> None:
    """Runs beat until it is told to stop; any number of them may run, one of them sends.

    Raises:
        SettingsError: a server's URL can not be used.
    """
    require_urls(settings)
    app = App(settings)
    report_problems(app.plan)
    celery = celery_of(app)
    app.trace_as("beat")
    app.carrier.ensure()
    celery.conf.beat_schedule = beat_schedule(app.plan.schedules)
    entries = {entry.name: entry for entry in app.plan.schedules}

    controls = app.controls
    heartbeat = Heartbeat(app.brief_client, settings.prefix)

    def send(entry_name: str, slot: datetime) -> None:
        entry = entries[entry_name]
        if entry.step in controls.read().paused:
            return  # else its slots would pile up, and run in a heap when it is resumed
        tick = tick_event(app.plan.prefix, entry, slot)
        queue = app.plan.topology.by_step[entry.step]
        with sending(tick, None, queue.name) as placed:
            app.publisher.send_blocking(placed, queue)

    try:
        run_beat(celery, scheduler_class(send, heartbeat.beat), settings.log_level)
    finally:
        app.close()
