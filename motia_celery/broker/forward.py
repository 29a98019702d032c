"""Forwarding: a delivery is published elsewhere, then acknowledged, without a run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from kombu.asynchronous import get_event_loop

from motia_celery.broker.publisher import Publisher
from motia_celery.broker.wire import Message

logger = logging.getLogger("motia_celery.broker")

_AGAIN_SECONDS = 1.0


class Forwarder:
    """Sends deliveries on from the worker's consumer: no slot of the pool is taken.

    Each is acknowledged once the broker has confirmed its copy, and kept until then; so a copy may
    be published twice, under the same id, but none is lost.
    """

    def __init__(self, publisher: Callable[[], Publisher]) -> None:
        self._publisher = publisher

    def __call__(self, channel: Any, delivery_tag: Any, message: Message) -> None:
        """Publishes ``message`` in the place of a delivery of the channel; does not wait."""
        done = self._publisher().publish_soon(message)
        hub = get_event_loop()
        if hub is None:  # a consumer that blocks has no loop to come back to
            while done.exception() is not None:
                done = self._publisher().publish_soon(message)
            _acknowledge(channel, delivery_tag)
            return

        def settle() -> None:
            if done.exception() is None:
                _acknowledge(channel, delivery_tag)
                return
            _log_failure(done)
            if _is_open(channel):  # else the delivery comes again by itself
                hub.call_later(_AGAIN_SECONDS, self, channel, delivery_tag, message)

        done.add_done_callback(lambda _: hub.call_soon(settle))


def _acknowledge(channel: Any, delivery_tag: Any) -> None:
    try:
        channel.basic_ack(delivery_tag)
    except Exception as error:  # the channel is gone, which the consumer's loop notices too
        logger.warning(
            "A message that was sent on comes again (%s)",
            error,
            extra={"action": "forward.repeated"},
        )


def _is_open(channel: Any) -> bool:
    return bool(getattr(channel, "is_open", not getattr(channel, "closed", False)))


def _log_failure(done: Future[None]) -> None:
    logger.warning(
        "A delayed message could not be sent on, and is kept: %s",
        done.exception(),
        extra={"action": "forward.waiting"},
    )
