"""Task events, which Flower shows. They never keep a worker from its work.

A worker sends them from the thread that acknowledges its deliveries. So they wait for no confirm,
and while RabbitMQ takes no messages, being short of memory or disk, they are dropped.
"""

from __future__ import annotations

from typing import Any

import orjson
from celery import Celery
from celery.app.events import Events
from celery.events.dispatcher import EventDispatcher
from celery.utils.time import utcoffset
from kombu import Connection


class Blockade:
    """Whether the broker takes messages on a connection; RabbitMQ says so itself."""

    def __init__(self) -> None:
        self.is_on = False

    def begin(self, _reason: str) -> None:
        """RabbitMQ reads no more messages from the connection."""
        self.is_on = True

    def end(self) -> None:
        """It reads them again."""
        self.is_on = False


def events_connection(app: Celery, url: str | None, heartbeat: float | None) -> Connection:
    """A connection for task events, not yet established."""
    options: dict[str, Any] = {}
    blockade = Blockade()
    if app.conf.broker_transport_options.get("confirm_publish"):
        options = {
            "confirm_publish": False,
            "on_blocked": blockade.begin,
            "on_unblocked": blockade.end,
        }
    connection = app.connection_for_write(url=url, heartbeat=heartbeat, transport_options=options)
    connection.blockade = blockade
    return connection


class TaskEventDispatcher(EventDispatcher):
    """Celery's dispatcher, on a connection of :func:`events_connection`."""

    def send(self, type: str, *args: Any, **fields: Any) -> Any:
        """Sends a task event, or drops it while the broker takes none."""
        blockade: Blockade | None = getattr(self.connection, "blockade", None)
        if blockade is not None and blockade.is_on:
            return None
        return super().send(type, *args, **fields)

    def send_all(self, events: list[dict[str, Any]]) -> None:
        """Sends many task events as one message, or drops them while the broker takes none."""
        blockade: Blockade | None = getattr(self.connection, "blockade", None)
        if not self.enabled or (blockade is not None and blockade.is_on):
            return
        common = {"hostname": self.hostname, "utcoffset": utcoffset(), "pid": self.pid}
        for event in events:
            event.update(common, clock=self.clock.forward())
        with self.mutex:
            try:
                self._send_encoded(orjson.dumps(events), "task.multi")
            except Exception:
                if not self.buffer_while_offline:
                    raise
                self._outbound_buffer.append((events, "task.multi"))

    def _send_encoded(self, body: bytes, routing_key: str) -> None:
        """What Celery sends by kombu's own JSON, which takes five times as long."""
        if self.producer is not None:
            self.producer.publish(
                body,
                routing_key=routing_key,
                exchange=self.exchange.name,
                declare=[self.exchange],
                content_type="application/json",
                content_encoding="utf-8",
                headers=self.headers,
                delivery_mode=self.delivery_mode,
            )


class TaskEvents(Events):
    """``app.events`` with our dispatcher."""

    dispatcher_cls = "motia_celery.broker.task_events:TaskEventDispatcher"
