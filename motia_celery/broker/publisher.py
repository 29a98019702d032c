"""The publisher: what is published where, and how a caller waits for the broker's confirm.

Its outbox sends in one thread on one connection, with confirms in a window: many handlers'
messages go out together and their confirms come back together, so an awaited emit costs one round
trip shared by all, and no event loop ever waits for a socket. Consuming has another connection:
RabbitMQ blocks a connection that publishes while it is short of memory or disk, and
acknowledgements on it would stall.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future

from kombu.transport.native_delayed_delivery import calculate_routing_key

from motia_celery.broker import wire
from motia_celery.broker.outbox import Outbox
from motia_celery.broker.wire import Message
from motia_celery.model.event import Event
from motia_celery.model.run import RunError
from motia_celery.plan.topology import QueuePlan, Topology
from motia_celery.settings import Settings

logger = logging.getLogger("motia_celery.broker")

#: The exchange where Celery's native delayed delivery begins; its key holds 28 bits of seconds.
_DELAY_EXCHANGE = "celery_delayed_27"


class Publisher:
    """Publishes for one process. Every method returns once the broker has the message.

    ``hold`` keeps a message until it is due on brokers that can not (kombu's Redis transports);
    RabbitMQ delays messages itself.
    """

    def __init__(
        self,
        settings: Settings,
        topology: Topology,
        hold: Callable[[Message], None] | None = None,
    ) -> None:
        self._settings = settings
        self._topology = topology
        self._amqp = settings.uses_rabbitmq
        self._outbox = Outbox(settings, topology, hold)

    # What is published

    async def emit(self, event: Event, timeout_seconds: float | None = None) -> None:
        """Publishes an event to everyone who subscribed to its topic.

        Raises:
            EmitError: it can not be sent, or was not confirmed within ``timeout_seconds``
                (by default the ``emit_timeout_seconds`` setting).
        """
        await self._await(self._event_messages(event), timeout_seconds)

    def emit_blocking(self, event: Event, timeout_seconds: float | None = None) -> None:
        """:meth:`emit`, for code that has no event loop."""
        self._wait(self._event_messages(event), timeout_seconds)

    async def send(
        self,
        event: Event,
        target: QueuePlan,
        *,
        run_id: str | None = None,
        attempt: int = 1,
        delay_seconds: float = 0,
    ) -> None:
        """Publishes an event to one Step's queue only, now or after a delay.

        ``run_id`` is kept by the run that it starts; without it the event's id decides.
        """
        await self._await([self._direct(event, target, run_id, attempt, delay_seconds)], None)

    def send_blocking(self, event: Event, target: QueuePlan) -> None:
        """:meth:`send`, for code that has no event loop."""
        self._wait([self._direct(event, target, None, 1, 0)], None)

    async def bury(
        self, event: Event, target: QueuePlan, error: RunError, *, run_id: str, attempts: int
    ) -> None:
        """Publishes a dead letter: the event, and what its last failure was."""
        await self._await([self._dead_letter(event, target, error, run_id, attempts)], None)

    def publish_blocking(self, message: Message) -> None:
        """Publishes one message as it is."""
        self._wait([message], None)

    def publish(self, message: Message) -> Future[None]:
        """Publishes one message as it is; the result tells when the broker has it."""
        return self._outbox.put(message, self._settings.emit_timeout_seconds).done

    def _event_messages(self, event: Event) -> list[Message]:
        body = wire.event_body(event, self._settings.event_limit_bytes)
        headers, properties = wire.event_headers(event), wire.event_properties(event)
        names = self._topology.names
        # Redis transports share one delivery tag among the queues of a fan-out, and lose
        # messages by it, so there each queue gets a publish of its own.
        targets = (
            [(names.events, event.topic)]
            if self._amqp
            else [("", plan.name) for plan in self._topology.subscribers(event.topic)]
        )
        return [
            Message(
                exchange=exchange,
                routing_key=key,
                body=body,
                headers=headers,
                properties=properties,
            )
            for exchange, key in targets
        ]

    def _direct(
        self, event: Event, target: QueuePlan, run_id: str | None, attempt: int, delay: float
    ) -> Message:
        seconds = max(1, round(delay)) if delay else 0
        exchange, key = self._topology.names.steps, target.name
        if not self._amqp:
            exchange = ""
        elif seconds:
            exchange, key = _DELAY_EXCHANGE, calculate_routing_key(seconds, target.name)
        return Message(
            exchange=exchange,
            routing_key=key,
            body=wire.event_body(event, self._settings.event_limit_bytes),
            headers={
                **wire.event_headers(event, attempt),
                **({wire.RUN: run_id} if run_id else {}),
            },
            properties=wire.event_properties(event),
            mandatory=True,
            delay_seconds=0 if self._amqp else delay,
        )

    def _dead_letter(
        self, event: Event, target: QueuePlan, error: RunError, run_id: str, attempts: int
    ) -> Message:
        names = self._topology.names
        failure = wire.failure_headers(error, run_id=run_id, step=target.step, queue=target.name)
        return Message(
            exchange=names.dead_letter_exchange if self._amqp else "",
            routing_key=target.name if self._amqp else names.dead_letter_queue,
            body=wire.event_body(event, self._settings.event_limit_bytes),
            headers={**wire.event_headers(event), wire.ATTEMPT: attempts, **failure},
            properties=wire.event_properties(event),
            mandatory=True,
        )

    # How a caller waits

    async def _await(self, messages: Iterable[Message], timeout: float | None) -> None:
        seconds = timeout or self._settings.emit_timeout_seconds
        waiting = [self._outbox.put(message, seconds) for message in messages]
        for pending in waiting:
            try:
                async with asyncio.timeout(pending.patience):
                    await asyncio.wrap_future(pending.done)
            except TimeoutError:
                self._outbox.give_up(pending)

    def _wait(self, messages: Iterable[Message], timeout: float | None) -> None:
        seconds = timeout or self._settings.emit_timeout_seconds
        for pending in [self._outbox.put(message, seconds) for message in messages]:
            try:
                pending.done.result(pending.patience)
            except TimeoutError:
                self._outbox.give_up(pending)

    def close(self, timeout_seconds: float = 5) -> None:
        """Sends what waits, and lets go of the connection."""
        self._outbox.close(timeout_seconds)
