"""Delays on RabbitMQ: Celery's native delayed delivery, a ladder of queues that expire."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from kombu.transport.native_delayed_delivery import calculate_routing_key

from motia_celery.broker.wire import Message

#: Where the ladder begins; a routing key holds 28 bits of seconds.
DELAY_EXCHANGE: Final = "celery_delayed_27"


def delayed(message: Message, *, amqp: bool) -> Message:
    """The message as it is published to arrive ``delay_seconds`` later, at its routing key.

    RabbitMQ counts whole seconds, so a fraction becomes one. On other brokers the message stays as
    it is: the sender holds it.
    """
    if not amqp or not message.delay_seconds:
        return message
    seconds = max(1, math.ceil(message.delay_seconds))
    return replace(
        message,
        exchange=DELAY_EXCHANGE,
        routing_key=calculate_routing_key(seconds, message.routing_key),
        mandatory=True,
        delay_seconds=0,
    )
