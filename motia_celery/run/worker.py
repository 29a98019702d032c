"""The worker: takes deliveries from the Steps' queues and runs their handlers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from motia_celery.broker.celery_app import create_celery, own_queues, queue_names
from motia_celery.broker.worker import prepare_worker, run_worker
from motia_celery.errors import SettingsError
from motia_celery.observe import tracing
from motia_celery.observe.logs import configure_logging
from motia_celery.run.app import App, report_problems
from motia_celery.run.urls import require_urls

if TYPE_CHECKING:
    from motia_celery.settings import Settings


def celery_of(app: App) -> Any:
    """The Celery app that serves this app's Steps."""
    settings = app.settings
    app.trace_as("worker")

    def child_stopped() -> None:
        app.flush_records()
        tracing.stop()

    def started() -> None:
        if settings.pool != "prefork":  # there the children make the spans, and start for it
            tracing.start()
        report_problems(app.plan)
        app.start_relay()
        app.start_outbox()

    celery = create_celery(
        settings,
        app.plan,
        invoke=app.invoke,
        publisher=lambda: app.publisher,
        gate=lambda: app.gate,
        once=lambda: app.once,
        order=lambda: app.resources.order,
        recorder=lambda: app.recorder,
    )
    prepare_worker(
        celery,
        settings,
        app.plan.topology,
        configure_logging=lambda: configure_logging(
            settings.log_level, settings.log_format, "worker", settings.redact_keys
        ),
        started=started,
        stopped=app.close,
        child_stopped=child_stopped,
        read_controls=lambda: app.controls.read(),
        watch_controls=app.watch_controls,
    )
    return celery


def work(
    settings: Settings,
    *,
    steps: Sequence[str] = (),
    exclude: Sequence[str] = (),
    flows: Sequence[str] = (),
    name: str | None = None,
) -> None:
    """Runs a worker until it is told to stop.

    ``steps`` and ``flows`` choose the Steps that it serves, ``exclude`` leaves some out. One of an
    app whose Steps are all started by requests sends what is delayed, or in the outbox.

    Raises:
        SettingsError: no chosen Step is left to serve, or a server's URL can not be used.
    """
    require_urls(settings)
    app = App(settings)
    _known(app, (*steps, *exclude), flows)
    queues = queue_names(app.plan, steps, exclude, flows)
    if not queues and (steps or exclude or flows):
        raise SettingsError(
            "no Step with an event or cron trigger is left to serve.",
            "motia-celery worker",
            "Look at --steps, --exclude and --flows; `motia-celery plan` lists the Steps.",
        )
    queues.extend(own_queues(settings, app.plan))
    run_worker(celery_of(app), settings, queues or [app.plan.names.default_queue], name)


def _known(app: App, steps: Sequence[str], flows: Sequence[str]) -> None:
    names = {step.name for step in app.plan.steps}
    flow_names = {flow.name for flow in app.plan.flows}
    for given, known, what in ((steps, names, "Step"), (flows, flow_names, "flow")):
        for name in given:
            if name not in known:
                raise SettingsError(
                    f"there is no {what} named {name!r}.",
                    "motia-celery worker",
                    "`motia-celery plan` lists them.",
                )
