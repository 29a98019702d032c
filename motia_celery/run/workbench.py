"""The Workbench in the web process: whether it is served, and what it works with."""

from __future__ import annotations

from motia_celery.broker.inspection import Inspector
from motia_celery.broker.ticks import TickReader
from motia_celery.run.app import App
from motia_celery.run.control import Control
from motia_celery.stores.state_changes import state_changes
from motia_celery.workbench.records import StoredRecords
from motia_celery.workbench.serving import Workbench
from motia_celery.workbench.sources import Sources


def workbench_of(app: App) -> Workbench:
    """The app's Workbench."""
    return Workbench(app.settings, lambda: sources_of(app))


def sources_of(app: App) -> Sources:
    """What the Workbench of this process works with."""
    settings, plan = app.settings, app.plan
    return Sources(
        settings=settings,
        plan=plan,
        publisher=app.publisher,
        state=app.state,
        streams=app.streams,
        control=Control(settings, plan),
        depths=app.depths,
        inspector=Inspector(settings, plan),
        ticks=TickReader(settings),
        state_changes=lambda: state_changes(settings),
        records=StoredRecords(settings, plan) if settings.records else None,
    )
