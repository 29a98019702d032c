"""Emitting from code that is no Step: a Celery task, a Django view, a script.

Nothing of the Step app is imported or read; all that is needed is where its broker is.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from opentelemetry import propagate
from pydantic import SecretStr

from motia_celery.broker.publisher import Publisher
from motia_celery.errors import ConfigError, SettingsError
from motia_celery.model.emit import EmitOptions, Moment
from motia_celery.model.event import Event
from motia_celery.model.topic import topic_fault
from motia_celery.model.trace import Trace
from motia_celery.plan.topology import Names, Topology
from motia_celery.settings import Settings, load_settings

#: One for each broker and prefix of this process; a forked child makes its own.
_publishers: dict[tuple[int, str | None, str | None], Publisher] = {}
_lock = threading.Lock()


def emit(
    topic: str,
    data: Any = None,
    *,
    broker: str | None = None,
    prefix: str | None = None,
    message_group_id: str | None = None,
    delay: float | None = None,
    at: Moment | None = None,
    priority: int | None = None,
    event_id: str | None = None,
    timeout: float | None = None,
) -> str:
    """Publishes an event to every Step that subscribes to its topic, and gives its id.

    It returns once RabbitMQ has confirmed; the connection stays open for the next one. Without
    ``broker`` (an ``amqp://`` URL) and ``prefix`` the variables and files of the current folder
    count, as for the Step app itself. ``delay``, ``at``, ``priority`` and ``message_group_id``
    are those of ``context.emit``. Of events with the same ``event_id`` every Step's run has the
    same id, so that a Step with ``once`` runs once. An OpenTelemetry span that is current is the
    event's parent. In an asyncio app: ``await asyncio.to_thread(emit, …)``.

    Raises:
        ConfigError: the topic or an option can not be used.
        EmitError: the broker did not confirm within ``timeout`` (10) seconds.
        SettingsError: no broker is set, or it is not RabbitMQ.
    """
    if fault := topic_fault(topic):
        raise ConfigError(f"{fault}.", f"emit {topic!r}", "Write emit('order.created', {…}).")
    options = _options(topic, delay=delay, at=at, priority=priority)
    event = Event(
        topic=topic,
        data=data,
        id=event_id or str(uuid.uuid4()),
        trace=_current_trace(),
        group=message_group_id,
        priority=options.priority,
    )
    _publisher(broker, prefix).emit_blocking(event, timeout, delay_seconds=options.delay_seconds)
    return event.id


def _options(topic: str, **given: Any) -> EmitOptions:
    try:
        return EmitOptions.read(given, time.time())
    except ValueError as error:
        raise ConfigError(f"{error}.", f"emit {topic!r}", "Correct the emit.") from None


def _current_trace() -> Trace:
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return Trace.read(headers) or Trace.begin(headers)


def _publisher(broker: str | None, prefix: str | None) -> Publisher:
    key = (os.getpid(), broker, prefix)
    with _lock:
        if key not in _publishers:
            settings = _settings(broker, prefix)
            _publishers[key] = Publisher(settings, Topology(Names(settings.prefix)))
        return _publishers[key]


def _settings(broker: str | None, prefix: str | None) -> Settings:
    # The folder of an app that says where the broker is may have a config/ of another kind.
    root = Path(os.devnull) if broker else Path()
    secret = SecretStr(broker) if broker else None
    settings = load_settings(root, None, broker_url=secret, prefix=prefix)
    if not settings.uses_rabbitmq:
        raise SettingsError(
            "emitting from outside of the Steps needs RabbitMQ, which knows who subscribes.",
            "broker",
            "Pass broker='amqp://…', or set AMQP_URL.",
        )
    return settings


@atexit.register
def _close() -> None:
    for (pid, _, _), publisher in _publishers.items():
        if pid == os.getpid():
            publisher.close(1)
