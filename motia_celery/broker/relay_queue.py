"""The relay's queue: where a delayed emit arrives when it is due, to be sent on to everyone.

It is consumed by every worker, beside the pool: a delivery is published as an event and
acknowledged once that is confirmed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from kombu import Exchange, Queue

from motia_celery.broker import wire
from motia_celery.broker.queue import Forward, queue_arguments
from motia_celery.broker.wire import Message
from motia_celery.errors import MessageRejectedError
from motia_celery.model.topic import topic_fault
from motia_celery.plan.topology import Names

logger = logging.getLogger("motia_celery.broker")

#: How many deliveries of one worker are under way.
PREFETCH = 100

_PROPERTIES = ("message_id", "correlation_id", "app_id", "priority", "delivery_mode")


class RelayQueue(Queue):
    """The queue of delayed emits; ``forward`` sends one on, to the exchange named ``events``."""

    attrs = (*Queue.attrs, ("events", None), ("forward", None))

    events: str
    forward: Forward | None

    def consume(
        self,
        consumer_tag: str = "",
        callback: Callable[[Any], Any] | None = None,
        no_ack: bool | None = None,
        nowait: bool = False,
        on_cancel: Callable[..., Any] | None = None,
    ) -> Any:
        """Starts consuming; ``callback``, which would start a task, is never called."""
        self.channel.basic_qos(0, PREFETCH, False)
        return super().consume(
            consumer_tag, self._relay, no_ack=no_ack, nowait=nowait, on_cancel=on_cancel
        )

    def as_dict(self, recurse: bool = False) -> dict[str, Any]:
        """The queue as a dict; ``recurse`` is for `inspect active_queues`, which sends it."""
        fields: dict[str, Any] = super().as_dict(recurse)
        if recurse:
            fields.pop("forward", None)
        return fields

    def _relay(self, raw: Any) -> None:
        try:
            message = relayed(raw, self.events)
        except Exception as error:  # an escaping exception would end the worker's loop
            logger.error(
                "Refused a message on %s, which goes to the dead letters: %s",
                self.name,
                error,
                extra={"action": "message.refused"},
            )
            self.channel.basic_reject(raw.delivery_tag, requeue=False)
        else:
            assert self.forward is not None
            self.forward(self.channel, raw.delivery_tag, message)


def relayed(raw: Any, events: str) -> Message:
    """The event that a delivery holds, under the id that it had when it was emitted.

    Raises:
        MessageRejectedError: it has no topic.
    """
    headers = dict(raw.properties.get("application_headers") or {})
    topic = headers.get(wire.TOPIC)
    if not isinstance(topic, str) or topic_fault(topic):
        raise MessageRejectedError("it names no topic.", "relay")
    return Message(
        exchange=events,
        routing_key=topic,
        body=raw.body.encode() if isinstance(raw.body, str) else bytes(raw.body),
        # The broker adds headers of its own to what has waited.
        headers={name: value for name, value in headers.items() if not name.startswith("x-")},
        properties={
            **{name: raw.properties[name] for name in _PROPERTIES if name in raw.properties},
            "timestamp": int(time.time()),
        },
    )


def relay_queue(names: Names, forward: Forward | None = None) -> RelayQueue:
    """The queue of delayed emits, as safe as a Step's."""
    return RelayQueue(
        names.relay,
        Exchange(names.steps, type="topic", durable=True),
        routing_key=names.relay,
        durable=True,
        queue_arguments={
            **queue_arguments(names),
            "x-dead-letter-routing-key": names.relay,
        },
        events=names.events,
        forward=forward,
    )
