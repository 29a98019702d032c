"""Send the events of cron Steps; several may run, one of them sends."""

from __future__ import annotations


def run() -> None:
    """Runs beat until it is told to stop."""
    from motia_celery.observe.logs import configure_logging
    from motia_celery.run.beat import beat
    from motia_celery.run.environment import read_environment

    settings = read_environment()
    configure_logging(settings.log_level, settings.log_format, "beat", settings.redact_keys)
    beat(settings)
