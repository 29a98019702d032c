"""The publisher: what is published where, and how a caller waits for the broker's confirm.

Its sender works in one thread on one connection, with confirms in a window: many handlers'
messages go out together and their confirms come back together, so an awaited emit costs one round
trip shared by all, and no event loop ever waits for a socket. Consuming has another connection:
RabbitMQ blocks a connection that publishes while it is short of memory or disk, and
acknowledgements on it would stall.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from kombu import Connection
from kombu.transport.native_delayed_delivery import calculate_routing_key

from motia_celery.broker import wire
from motia_celery.broker.connection import open_connection
from motia_celery.broker.delay import DELAY_EXCHANGE, delayed
from motia_celery.broker.direct.frames import UnusualError
from motia_celery.broker.direct.outgoing import LateError, Outgoing, RefusedError
from motia_celery.broker.sender import Pending, Sender, late, log_outage, refused
from motia_celery.broker.topology import declare
from motia_celery.broker.wire import Message
from motia_celery.errors import EmitError
from motia_celery.model.event import Event
from motia_celery.model.run import RunError
from motia_celery.observe.metrics import meter
from motia_celery.plan.topology import QueuePlan, Topology
from motia_celery.settings import Settings

logger = logging.getLogger("motia_celery.broker")

#: How long retries, dead letters and ticks wait at least: without them a delivery is done again.
_OWN_TIMEOUT_SECONDS = 30.0


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
        self._own_timeout = max(_OWN_TIMEOUT_SECONDS, settings.emit_timeout_seconds)
        self._sender = Sender(settings, topology, hold)
        self._from_loop = self._amqp and settings.direct
        self._current: Outgoing | None = None

    # What is published

    async def emit(
        self, event: Event, timeout_seconds: float | None = None, *, delay_seconds: float = 0
    ) -> None:
        """Publishes an event to everyone who subscribed to its topic, now or after a delay.

        Raises:
            EmitError: it can not be sent, or was not confirmed within ``timeout_seconds``
                (by default the ``emit_timeout_seconds`` setting).
        """
        await self._await(self._event_messages(event, delay_seconds), timeout_seconds)
        if not delay_seconds:
            self._count(event.topic)

    def begin(
        self, event: Event, timeout_seconds: float | None = None
    ) -> asyncio.Future[bool] | None:
        """:meth:`emit`, sent before this returns; None where it can not be sent this way.

        The future is True once the broker has confirmed, or fails with an EmitError.

        Raises:
            EventDataError: the data can not be sent.
        """
        if not self._from_loop:
            return None
        message = self.message(event)
        if not Outgoing.can_take(message):
            return None
        seconds = timeout_seconds or self._settings.emit_timeout_seconds
        with suppress(UnusualError):
            return self._outgoing().publish(message, seconds, partial(self._count, event.topic))
        return None

    def emit_blocking(
        self, event: Event, timeout_seconds: float | None = None, *, delay_seconds: float = 0
    ) -> None:
        """:meth:`emit`, for code that has no event loop."""
        self._wait(self._event_messages(event, delay_seconds), timeout_seconds)
        if not delay_seconds:
            self._count(event.topic)

    async def send(
        self,
        event: Event,
        target: QueuePlan,
        *,
        run_id: str | None = None,
        attempt: int = 1,
        delay_seconds: float = 0,
        booked: bool = False,
    ) -> None:
        """Publishes an event to one Step's queue only, now or after a delay.

        ``run_id`` is kept by the run that it starts; without it the event's id decides.
        ``booked``: the delay is its turn in the Step's rate.
        """
        message = self._direct(event, target, run_id, attempt, delay_seconds)
        if booked:
            message = replace(message, headers={**message.headers, wire.BOOKED: True})
        await self._await([message], self._own_timeout)
        meter.sent((target.step,))

    def send_blocking(self, event: Event, target: QueuePlan) -> None:
        """:meth:`send`, for code that has no event loop."""
        self._wait([self._direct(event, target, None, 1, 0)], self._own_timeout)
        meter.sent((target.step,))

    async def bury(
        self, event: Event, target: QueuePlan, error: RunError, *, run_id: str, attempts: int
    ) -> None:
        """Publishes a dead letter: the event, and what its last failure was."""
        letter = self._dead_letter(event, target, error, run_id, attempts)
        await self._await([letter], self._own_timeout)

    def bury_soon(
        self, event: Event, target: QueuePlan, error: RunError, *, run_id: str, attempts: int
    ) -> Future[None]:
        """:meth:`bury`, for code that must not wait: the future ends with the confirm."""
        letter = self._dead_letter(event, target, error, run_id, attempts)
        return self._sender.put(letter, self._own_timeout).done

    async def publish(self, message: Message) -> None:
        """Publishes one message as it is."""
        await self._await([message], None)

    def publish_blocking(self, message: Message) -> None:
        """Publishes one message as it is."""
        self._wait([message], None)

    def publish_due(self, message: Message) -> None:
        """Publishes one message that was held; an event goes to those who subscribe to it now."""
        due = replace(message, delay_seconds=0)
        is_event = message.exchange == self._topology.names.events
        self._wait(self._to_subscribers(due) if is_event else [due], None)
        if is_event:
            self._count(due.routing_key)

    def publish_soon(self, message: Message) -> Future[None]:
        """Publishes one message, now or after its delay; the future ends with the confirm."""
        prepared = delayed(message, amqp=self._amqp)
        done = self._sender.put(prepared, self._own_timeout).done
        self._count_when(done, message)
        return done

    def message(self, event: Event, delay_seconds: float = 0) -> Message:
        """The message of an event, for :meth:`event_soon`.

        Raises:
            EmitError: its data can not be sent.
        """
        return Message(
            exchange=self._topology.names.events,
            routing_key=event.topic,
            body=wire.event_body(event, self._settings.event_limit_bytes),
            headers={**wire.event_headers(event), **wire.queued_at(delay_seconds)},
            properties=self._event_properties(event),
            delay_seconds=delay_seconds,
        )

    def event_soon(self, message: Message, timeout_seconds: float) -> list[Future[None]]:
        """Publishes an event's message to everyone, or to the Step that it names; the futures end
        with the confirms.
        """
        sent = [self._sender.put(one, timeout_seconds).done for one in self._routed(message)]
        for done in sent[-1:]:
            self._count_when(done, message)
        return sent

    def _event_messages(self, event: Event, delay_seconds: float = 0) -> list[Message]:
        return self._routed(self.message(event, delay_seconds))

    def _routed(self, message: Message) -> list[Message]:
        """An event's message as it is published: to its subscribers, or to wait."""
        if not message.delay_seconds:
            return self._to_subscribers(message)
        # Its topic travels in a header, and the relay sends it on when it is due.
        key = self._topology.names.relay if self._amqp else message.routing_key
        return [delayed(replace(message, routing_key=key), amqp=self._amqp)]

    def _to_subscribers(self, message: Message) -> list[Message]:
        """The event for everyone; its exchange and routing key are the events' and the topic.

        One that is for a Step alone has other ones.
        """
        if self._amqp or message.exchange != self._topology.names.events:
            return [message]
        # Redis transports share one delivery tag among the queues of a fan-out, and lose
        # messages by it, so there each queue gets a publish of its own.
        return [
            replace(
                message,
                exchange="",
                routing_key=plan.name,
                # In a partition a message waits where it stands, behind those before it.
                headers={**message.headers, **({} if plan.partitions else _held(plan))},
                delay_seconds=0 if plan.partitions else plan.delay_seconds,
            )
            for plan in self._topology.subscribers(message.routing_key)
        ]

    def _event_properties(self, event: Event) -> dict[str, Any]:
        """An event's properties. Where its group is kept in order, that outranks a priority."""
        properties = wire.event_properties(event)
        subscribers = self._topology.subscribers(event.topic)
        if event.group and any(plan.partitions for plan in subscribers):
            properties.pop("priority", None)
        return properties

    def _direct(
        self, event: Event, target: QueuePlan, run_id: str | None, attempt: int, delay: float
    ) -> Message:
        seconds = max(1, round(delay)) if delay else 0
        exchange, key = self._topology.names.steps, target.name
        if not self._amqp:
            exchange = ""
        elif seconds:
            exchange, key = DELAY_EXCHANGE, calculate_routing_key(seconds, target.name)
        return Message(
            exchange=exchange,
            routing_key=key,
            body=wire.event_body(event, self._settings.event_limit_bytes),
            headers={
                **wire.event_headers(event, attempt),
                **wire.queued_at(delay),
                **({wire.RUN: run_id} if run_id else {}),
                **delay_mark(target),
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

    def _count(self, topic: str) -> None:
        """Tells the meter of an event that its subscribers have."""
        meter.sent([plan.step for plan in self._topology.subscribers(topic)])

    def _count_when(self, done: Future[None], message: Message) -> None:
        if message.delay_seconds:
            return
        if message.exchange == self._topology.names.events:
            done.add_done_callback(
                lambda ended: None if _failed(ended) else self._count(message.routing_key)
            )

    # How a caller waits

    async def _await(self, messages: Sequence[Message], timeout: float | None) -> None:
        seconds = timeout or self._settings.emit_timeout_seconds
        if self._from_loop and len(messages) == 1 and Outgoing.can_take(messages[0]):
            with suppress(UnusualError):
                await self._outgoing().publish(messages[0], seconds)
                return
        waiting = [self._sender.put(message, seconds) for message in messages]
        try:
            for pending in waiting:
                await self._confirmed(pending)
        except asyncio.CancelledError:
            for pending in waiting:
                self._sender.drop(pending)
            raise

    def _explained(self, message: Message, error: LateError | RefusedError) -> EmitError:
        if isinstance(error, LateError):
            return late(message, error, self._settings, was_sent=error.was_sent)
        return refused(message)

    def _outgoing(self) -> Outgoing:
        if self._current is None or not self._current.is_here():
            told = partial(log_outage, self._settings)
            self._current = Outgoing(self._connected, told, self._explained)
        return self._current

    def _connected(self) -> Connection:
        """A connection with the topology declared, whose channel confirms."""
        connection = open_connection(self._settings)
        try:
            connection.connect()
            declare(connection, self._topology, self._settings)
            connection.default_channel.confirm_select()
        except BaseException:
            connection.collect()
            raise
        return connection

    async def _confirmed(self, pending: Pending) -> None:
        try:
            async with asyncio.timeout(pending.patience):
                await asyncio.wrap_future(pending.done)
        except TimeoutError:
            self._sender.give_up(pending)

    def _wait(self, messages: Iterable[Message], timeout: float | None) -> None:
        seconds = timeout or self._settings.emit_timeout_seconds
        for pending in [self._sender.put(message, seconds) for message in messages]:
            try:
                pending.done.result(pending.patience)
            except TimeoutError:
                self._sender.give_up(pending)

    def close(self, timeout_seconds: float = 5) -> None:
        """Sends what waits, and lets go of the connections."""
        if self._current is not None:
            self._current.close_within(timeout_seconds)
        self._sender.close(timeout_seconds)


def _failed(ended: Future[None]) -> bool:
    return ended.cancelled() or ended.exception() is not None


def _held(target: QueuePlan) -> dict[str, Any]:
    """What a message says that waits for its Step's delay."""
    return delay_mark(target) | (
        wire.queued_at(target.delay_seconds) if target.delay_seconds else {}
    )


def delay_mark(target: QueuePlan) -> dict[str, bool]:
    """The header by which the consumer knows that it need not hold the message back."""
    return {wire.DELAYED: True} if target.delay_seconds else {}
