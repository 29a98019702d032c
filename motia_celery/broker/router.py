"""The router: passes a fifo Step's messages on from its queue to the partitions, in order.

RabbitMQ's own exchanges can not choose a queue by a hash without a plugin, and other services must
not need to know of partitions. So every message for the Step goes through its one queue, whose
single active consumer, in one of the workers, puts each group in its partition.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from motia_celery.broker import wire
from motia_celery.broker.delivery import group_of
from motia_celery.broker.feed import soon, worker_hub
from motia_celery.broker.queue import StepQueue
from motia_celery.broker.wire import Message
from motia_celery.plan.topology import partition_name, partition_of
from motia_celery.stores.order import FINISHED_KEPT

logger = logging.getLogger("motia_celery.broker")

#: Messages that the router holds at once, and so the most that can come to another one again.
WINDOW = FINISHED_KEPT
_RETRY_SECONDS = 1.0

_PROPERTIES = (
    "message_id",
    "correlation_id",
    "timestamp",
    "app_id",
    "reply_to",
    "type",
    "priority",
)


class Router:
    """Routes while it is open, on the consumer's own thread; ``publish`` tells when it is safe.

    Of each group at most one message is on its way, so that a refused one is not overtaken. What
    the broker gives to a router once more, because another was killed or its acknowledgements were
    lost, may be in the partition already: it is marked, and not run again if its run has ended.
    """

    def __init__(
        self,
        queue: StepQueue,
        connection: Any,
        publish: Callable[[Message], Future[None]],
        partitions: int,
    ) -> None:
        self._queue = queue
        self._connection = connection
        self._publish = publish
        self._partitions = partitions
        self._channel: Any = None
        self._waiting: list[Any] = []
        self._on_the_way: set[str] = set()

    def open(self) -> None:
        """Joins the line of consumers of the Step's queue."""
        self._channel = self._connection.channel()
        self._channel.auto_decode = False  # bodies stay the bytes that they are
        self._channel.basic_qos(0, WINDOW, False)
        self._channel.basic_consume(self._queue.name, callback=self._received)

    def close(self) -> None:
        """Gives back what was not passed on.

        The channel is closed, never the consumer cancelled: a cancelled one keeps what it holds,
        while the next consumer is already given what comes behind that.
        """
        channel, self._channel = self._channel, None
        self._waiting.clear()
        if channel is not None:
            with suppress(*self._connection.connection_errors, *self._connection.channel_errors):
                channel.close()

    def _received(self, raw: Any) -> None:
        self._waiting.append(raw)
        soon(self._pump)

    def _pump(self) -> None:
        """Passes on whatever has no older message of its group on the way."""
        waiting, self._waiting = self._waiting, []
        kept: list[Any] = []
        for raw in waiting:
            key = order_key(raw)
            if key in self._on_the_way or self._channel is None:
                kept.append(raw)
                continue
            self._on_the_way.add(key)
            self._pass_on(raw, key)
        if self._channel is not None:
            self._waiting = kept + self._waiting

    def _pass_on(self, raw: Any, key: str) -> None:
        channel = self._channel
        message = _copy(raw, self._queue, partition_of(key, self._partitions))

        def confirmed(future: Future[None]) -> None:
            soon(lambda: self._passed(raw, key, future, channel))

        self._publish(message).add_done_callback(confirmed)

    def _passed(self, raw: Any, key: str, future: Future[None], channel: Any) -> None:
        if channel is not self._channel:
            return  # closed meanwhile; whoever routes now has the message
        error = future.exception()
        if error is not None:
            self._retry(raw, key, error)
            return
        channel.basic_ack(raw.delivery_tag)
        self._on_the_way.discard(key)
        if self._waiting:
            self._pump()

    def _retry(self, raw: Any, key: str, error: BaseException) -> None:
        logger.warning(
            "A message of %s waits to be put in its partition: %s",
            self._queue.name,
            error,
            extra={"action": "router.waiting"},
        )
        channel, hub = self._channel, worker_hub()

        def try_again() -> None:
            if channel is self._channel:
                self._pass_on(raw, key)

        if hub is not None:
            hub.call_later(_RETRY_SECONDS, try_again)


def order_key(raw: Any) -> str:
    """What messages must have in common to be kept in order: their group, or nothing."""
    group = group_of(raw.headers or {})
    if group is not None:
        return group
    identity = raw.properties.get("message_id")
    return identity if isinstance(identity, str) and identity else str(raw.body)


def _copy(raw: Any, queue: StepQueue, number: int) -> Message:
    headers, info = _sendable(raw.headers or {}), raw.delivery_info
    if wire.TOPIC not in headers and info.get("exchange") == queue.events.name:
        headers[wire.TOPIC] = str(info.get("routing_key") or "")
    if info.get("redelivered"):
        headers[wire.REDELIVERED] = True
    body = raw.body
    return Message(
        exchange="",
        routing_key=partition_name(queue.name, number),
        body=body.encode() if isinstance(body, str) else bytes(body),
        headers=headers,
        properties={
            "delivery_mode": 2,
            **{name: raw.properties[name] for name in _PROPERTIES if name in raw.properties},
        },
        mandatory=True,
        content_type=raw.properties.get("content_type"),
        content_encoding=raw.properties.get("content_encoding"),
    )


def _sendable(headers: dict[str, Any]) -> dict[str, Any]:
    """The headers that mean something here, and can be sent whatever they hold."""
    return {
        name: value
        for name, value in headers.items()
        if not name.startswith("x-")
        and (isinstance(value, (str, float)) or (isinstance(value, int) and abs(value) < 2**63))
    }
