"""The sender: the thread that owns the publishing connection, and waits for its confirms."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from kombu import Connection

from motia_celery.broker import wire
from motia_celery.broker.connection import open_connection, speaks_amqp
from motia_celery.broker.delay import DELAY_EXCHANGE
from motia_celery.broker.relay_queue import relay_queue
from motia_celery.broker.topology import broker_version, declare, declare_delays
from motia_celery.broker.wire import Message
from motia_celery.errors import EmitError, FrameworkError
from motia_celery.plan.topology import Topology
from motia_celery.settings import Settings, masked_url

logger = logging.getLogger("motia_celery.broker")

#: How many messages are sent before the thread waits for their confirms.
WINDOW = 256
#: Quorum queues have no priorities before.
PRIORITIES_SINCE = (4, 0)
_RECONNECT_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0)
_IDLE_SECONDS = 10.0
_GRACE_SECONDS = 0.5


@dataclass(slots=True, eq=False)
class Pending:
    """A message on its way. ``deadline`` is a monotonic time."""

    message: Message
    deadline: float
    done: Future[None] = field(default_factory=Future)
    sent: bool = False
    returned: bool = False

    @property
    def patience(self) -> float:
        """How long its caller waits; the thread, which knows more, answers first if it can."""
        return max(0, self.deadline - time.monotonic()) + _GRACE_SECONDS


class Sender:
    """Publishes what it is given; declares the topology at each connect.

    ``hold`` keeps a message until it is due on brokers that can not delay one themselves.
    """

    def __init__(
        self,
        settings: Settings,
        topology: Topology,
        hold: Callable[[Message], None] | None = None,
    ) -> None:
        self._settings = settings
        self._topology = topology
        self._hold = hold
        self._amqp = settings.uses_rabbitmq
        self._queue: queue.SimpleQueue[Pending | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._connection: Connection | None = None
        self._channel: Any = None
        self._unconfirmed: dict[int, Pending] = {}
        self._sequence = 0
        self._has_delays = False
        self._has_priorities = self._warned_of_priority = False

    def put(self, message: Message, timeout_seconds: float) -> Pending:
        """Takes a message; the result's ``done`` tells when the broker has it, or why not."""
        self._start()
        pending = Pending(message, time.monotonic() + timeout_seconds)
        # From here on a cancelled caller can not cancel the message: it may be on its way.
        pending.done.set_running_or_notify_cancel()
        self._queue.put(pending)
        return pending

    def _start(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
                self._thread.start()

    def give_up(self, pending: Pending) -> None:
        """Ends the wait for a thread that hangs in a socket; what it has not sent it drops.

        Raises:
            EmitError: unless the message was confirmed at the last moment.
        """
        _fail(pending, _late(pending, TimeoutError("no answer"), self._settings))
        pending.done.result()

    def drop(self, pending: Pending) -> None:
        """Takes a message back, unless it is on its way already."""
        _fail(pending, _late(pending, TimeoutError("given up"), self._settings))

    def close(self, timeout_seconds: float = 5) -> None:
        """Sends what waits, and lets go of the connection."""
        thread = self._thread
        if thread is not None:
            self._queue.put(None)
            thread.join(timeout_seconds)

    def _run(self) -> None:
        while True:
            batch = self._take()
            if batch is None:
                self._disconnect()
                return
            try:
                self._deliver(batch)
            except Exception as error:  # the thread must live, and no caller may wait for ever
                logger.exception("Publishing failed", extra={"action": "publish.failed"})
                for pending in batch:
                    _fail(pending, EmitError(f"publishing failed ({error!r}).", "broker"))

    def _take(self) -> list[Pending] | None:
        """The messages that wait, at most a window of them; None once closed."""
        while True:
            try:
                first = self._queue.get(timeout=_IDLE_SECONDS)
                break
            except queue.Empty:
                self._heartbeat()
        if first is None:
            return None
        return [first, *self._take_waiting(WINDOW - 1)]

    def _take_waiting(self, most: int) -> list[Pending]:
        batch: list[Pending] = []
        while len(batch) < most:
            try:
                pending = self._queue.get_nowait()
            except queue.Empty:
                break
            if pending is None:
                self._queue.put(None)
                break
            batch.append(pending)
        return batch

    def _deliver(self, batch: list[Pending]) -> None:
        """Publishes until each message is confirmed, refused, or past its deadline."""
        waiting, failures = batch, 0
        while waiting:
            try:
                self._connect()
                self._publish(waiting[:WINDOW])
            except FrameworkError as error:
                for pending in waiting:
                    _fail(pending, error)
            except self._broker_faults() as error:
                self._log_outage(error, failures)
                self._disconnect()
                # Messages that came in meanwhile may have nearer deadlines than these.
                waiting = self._drop_late([*waiting, *self._take_waiting(WINDOW)], error)
                time.sleep(_RECONNECT_SECONDS[min(failures, len(_RECONNECT_SECONDS) - 1)])
                failures += 1
            waiting = [pending for pending in waiting if not pending.done.done()]

    def _publish(self, batch: list[Pending]) -> None:
        if self._amqp:
            self._declare_delays(batch)
            for pending in batch:
                if self._sent(pending):
                    self._sequence += 1
                    self._unconfirmed[self._sequence] = pending
            self._collect_confirms()
            return
        for pending in batch:
            if self._sent(pending):
                _succeed(pending)

    def _declare_delays(self, batch: list[Pending]) -> None:
        """Makes sure of the way of delayed emits, once a connection and where there are any.

        Workers have that of their Steps' queues, for Celery declares it when they start.
        """
        if self._has_delays or all(p.message.exchange != DELAY_EXCHANGE for p in batch):
            return
        assert self._connection is not None
        declare_delays(self._connection, [relay_queue(self._topology.names)])
        self._has_delays = True

    def _sent(self, pending: Pending) -> bool:
        """Whether the message was sent. One that can not be encoded fails, and no other with it."""
        if not self._drop_late([pending], TimeoutError("no connection in time")):
            return False
        pending.sent = True
        try:
            if pending.message.delay_seconds and self._hold is not None:
                self._hold(pending.message)
            else:
                self._send(pending.message)
        except Exception as error:
            if isinstance(error, (FrameworkError, *self._broker_faults())):
                raise
            _fail(pending, _unsendable(pending.message, error))
            return False
        return True

    def _send(self, message: Message) -> None:
        properties = self._properties(message)
        prepared = self._channel.prepare_message(
            message.body,
            priority=properties.pop("priority", None),  # kombu's AMQP has a place of its own for it
            content_type=message.content_type,
            content_encoding=message.content_encoding,
            headers=dict(message.headers),
            properties=properties,
        )
        options = {"mandatory": True} if message.mandatory and self._amqp else {}
        self._channel.basic_publish(
            prepared, exchange=message.exchange, routing_key=message.routing_key, **options
        )

    def _collect_confirms(self) -> None:
        """Reads until every message of the window is answered.

        Raises:
            OSError: the connection is lost, or a deadline passed without an answer, which is
                what a broker under a memory or disk alarm looks like.
        """
        while self._unconfirmed:
            nearest = min(pending.deadline for pending in self._unconfirmed.values())
            patience = nearest - time.monotonic()
            if patience <= 0:
                raise TimeoutError("no confirm in time")
            assert self._connection is not None
            self._connection.drain_events(timeout=patience)

    def _answered(self, tag: int, multiple: bool, *, accepted: bool) -> None:
        tags = [t for t in self._unconfirmed if t <= tag] if multiple else [tag]
        for number in tags:
            pending = self._unconfirmed.pop(number, None)
            if pending is None:
                continue
            if pending.returned:
                _fail(pending, _unroutable(pending.message))
            elif accepted:
                _succeed(pending)
            else:
                _fail(pending, refused(pending.message))

    def _on_return(self, _error: Any, _exchange: str, key: str, raw: Any) -> None:
        identity = raw.properties.get("message_id")
        for pending in self._unconfirmed.values():
            message = pending.message
            # One event may be on its way to several Steps.
            same = message.properties.get("message_id") == identity and message.routing_key == key
            if same and message.mandatory:
                pending.returned = True

    # The connection

    def _properties(self, message: Message) -> dict[str, Any]:
        properties = dict(message.properties)
        if properties.get("priority") is not None and not self._has_priorities:
            self._warn_of_priority()
        if not self._amqp:  # kombu would put the message into a list of its own
            properties.pop("priority", None)
        return properties

    def _warn_of_priority(self) -> None:
        if not self._warned_of_priority:
            self._warned_of_priority = True
            logger.warning(
                "The broker does not deliver urgent events first: RabbitMQ does from 4.0 on",
                extra={"action": "publish.priority"},
            )

    def _connect(self) -> None:
        if self._connection is not None:
            return
        connection = open_connection(self._settings)
        try:
            connection.connect()
            declare(connection, self._topology, self._settings)
            channel = connection.channel()
            if speaks_amqp(connection):
                self._has_priorities = broker_version(connection) >= PRIORITIES_SINCE
                channel.confirm_select()
                channel.events["basic_ack"].add(
                    lambda tag, multiple: self._answered(tag, multiple, accepted=True)
                )
                channel.events["basic_nack"].add(
                    lambda tag, multiple: self._answered(tag, multiple, accepted=False)
                )
                channel.events["basic_return"].add(self._on_return)
        except BaseException:
            connection.collect()
            raise
        self._connection, self._channel = connection, channel
        self._sequence, self._has_delays = 0, False
        self._unconfirmed.clear()

    def _disconnect(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        self._unconfirmed.clear()
        if connection is not None:
            # A broken connection may hang in a polite close; collect() only drops the socket.
            connection.collect(socket_timeout=0.5)

    def _heartbeat(self) -> None:
        """Keeps an idle connection alive, and notices one that is not."""
        if self._connection is None or not self._amqp:
            return
        try:
            self._connection.heartbeat_check()
            self._connection.drain_events(timeout=0.001)
        except TimeoutError:
            return
        except self._broker_faults():
            self._disconnect()

    def _broker_faults(self) -> tuple[type[BaseException], ...]:
        connection = self._connection or open_connection(self._settings)
        faults = (*connection.connection_errors, *connection.channel_errors, OSError)
        return tuple(dict.fromkeys(faults))

    def _log_outage(self, error: BaseException, failures: int) -> None:
        log_outage(self._settings, error or type(error).__name__, failures)

    def _drop_late(self, batch: list[Pending], error: BaseException) -> list[Pending]:
        now = time.monotonic()
        for pending in batch:
            if pending.deadline <= now:
                _fail(pending, _late(pending, error, self._settings))
        return [pending for pending in batch if not pending.done.done()]


def log_outage(settings: Settings, cause: object, failures: int) -> None:
    """Warns that messages wait for the broker: at first, and now and then."""
    if failures in (0, 5) or failures % 30 == 0:
        logger.warning(
            "The broker at %s does not take messages (%s); waiting for it",
            masked_url(settings.broker),
            cause,
            extra={"action": "publish.waiting"},
        )


def _succeed(pending: Pending) -> None:
    with suppress(InvalidStateError):  # its caller has given up
        pending.done.set_result(None)


def _fail(pending: Pending, error: Exception) -> None:
    with suppress(InvalidStateError):
        pending.done.set_exception(error)


def _late(pending: Pending, error: BaseException, settings: Settings) -> EmitError:
    return late(pending.message, error or type(error).__name__, settings, was_sent=pending.sent)


def late(message: Message, cause: object, settings: Settings, *, was_sent: bool) -> EmitError:
    """The error of a message that was not confirmed in time."""
    known = "it may have arrived all the same" if was_sent else "it was not sent"
    return EmitError(
        f"the broker did not confirm in time ({cause}); {known}.",
        _named(message),
        f"Look at the broker at {masked_url(settings.broker)}; the event may be sent again.",
    )


def _unsendable(message: Message, error: Exception) -> EmitError:
    return EmitError(
        f"the message can not be sent ({type(error).__name__}: {error}).",
        _named(message),
        "Ids have at most 255 bytes.",
    )


def refused(message: Message) -> EmitError:
    """The error of a message that the broker would not take."""
    return EmitError(
        "the broker refused the message: a queue that it should reach is full.",
        _named(message),
        "Start more workers, or raise the queue's limit.",
    )


def _unroutable(message: Message) -> EmitError:
    return EmitError(
        "no queue took the message.",
        _named(message),
        "Start a worker of its app once, which declares its queue."
        if "task" in message.headers
        else "Run `motia-celery release` to declare the queues.",
    )


def _named(message: Message) -> str:
    if "task" in message.headers:
        return f"send_task {message.headers['task']!r}"
    return f"emit {message.headers.get(wire.TOPIC) or message.routing_key!r}"
