"""Emitting from the command line: an event that no Step emitted."""

from __future__ import annotations

from typing import Any

from motia_celery.errors import EmitError
from motia_celery.model.topic import topic_fault
from motia_celery.run.app import App
from motia_celery.run.environment import read_running


async def emit(topic: str, data: Any) -> None:
    """Publishes the event into the project's app, and returns once the broker has it.

    Raises:
        EmitError: the topic can not be used.
        SettingsError: no server is set, and `dev` runs none.
        BrokerUnavailableError: the broker does not answer.
    """
    if fault := topic_fault(topic):
        raise EmitError(f"the topic {topic!r} can not be used: {fault}.", "emit", "Correct it.")
    app = App(read_running())
    try:
        await app.emit(topic, data)
    finally:
        await app.aclose()
