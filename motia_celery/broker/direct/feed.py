"""The direct feed: one connection that delivers events of all Steps' queues to their runs."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from amqp.basic_message import Message as RawMessage
from celery import signals
from celery.exceptions import Ignore, Reject, Retry
from celery.worker import state
from kombu.transport.pyamqp import Message as StockMessage

from motia_celery.broker.connection import open_connection
from motia_celery.broker.consumer import SettledAtOnce, StepFailedError
from motia_celery.broker.direct.frames import Arrival
from motia_celery.broker.direct.link import ConsumerLink
from motia_celery.broker.direct.reading import read
from motia_celery.broker.direct.request import DirectRequest
from motia_celery.broker.feed import Deliver, soon
from motia_celery.broker.loop import loop_thread
from motia_celery.broker.pool import TaskPool
from motia_celery.broker.queue import StepQueue
from motia_celery.broker.task import Delivered, StepTask
from motia_celery.settings import Settings, masked_url

if TYPE_CHECKING:
    from motia_celery.broker.direct.events import TaskEventStream

logger = logging.getLogger("motia_celery.broker")

_RECONNECT_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
#: Signals of Celery's that libraries hang on; where one is heard, its path is taken.
_HEARD = (
    signals.task_received,
    signals.task_prerun,
    signals.task_postrun,
    signals.task_success,
    signals.task_failure,
    signals.task_retry,
    signals.task_revoked,
    signals.task_internal_error,
)


def is_heard() -> bool:
    """Whether something in this process listens to Celery's signals of tasks."""
    return any(signal.receivers for signal in _HEARD)


@dataclass(frozen=True, slots=True)
class _Source:
    """A queue that is consumed: its Step's task, and Celery's own way in."""

    queue: StepQueue
    task: StepTask
    deliver: Callable[[Any], None]


class DirectFeeds:
    """The direct feed of one worker; Celery's consumer opens and stops each queue's part."""

    def __init__(self, settings: Settings, app: Any, events: TaskEventStream) -> None:
        self._settings = settings
        self._app = app
        self._events = events
        self._sources: dict[str, _Source] = {}
        self._link: ConsumerLink | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._pid = os.getpid()
        self._is_heard = False

    def open(self, queue: StepQueue, deliver: Deliver) -> DirectFeed:
        """Consumes a queue, from any thread."""
        source = _Source(queue, self._app.tasks[queue.task], deliver)
        self._loop.call_soon_threadsafe(self._open, source)
        return DirectFeed(partial(self._loop.call_soon_threadsafe, self._stop, queue.name))

    async def aclose(self) -> None:
        """Acknowledges what has ended, and lets go of the connection."""
        for name in list(self._sources):
            self._stop(name)
        if self._connecting is not None:
            self._connecting.cancel()
        if self._link is not None:
            link, self._link = self._link, None
            await link.finish()

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return loop_thread().loop

    @property
    def _pool(self) -> TaskPool:
        pool: TaskPool = self._app.step_pool
        return pool

    # The connection

    def _open(self, source: _Source) -> None:
        self._is_heard = is_heard()
        self._sources[source.queue.name] = source
        if self._link is not None:
            self._link.consume(source.queue.name, source.queue.prefetch)
        elif self._connecting is None:
            self._connecting = self._loop.create_task(self._connect())

    def _stop(self, name: str) -> None:
        if self._sources.pop(name, None) is not None and self._link is not None:
            self._link.cancel(name)

    async def _connect(self) -> None:
        failures = 0
        while self._sources:
            try:
                connection = await asyncio.to_thread(self._connected)
                break
            except Exception as error:
                self._log_outage(error, failures)
                await asyncio.sleep(_RECONNECT_SECONDS[min(failures, len(_RECONNECT_SECONDS) - 1)])
                failures += 1
        else:
            self._connecting = None
            return
        self._connecting = None
        link = ConsumerLink(connection, self._arrived, self._lost)
        self._link = link
        link.start()
        for source in self._sources.values():
            link.consume(source.queue.name, source.queue.prefetch)

    def _connected(self) -> Any:
        connection = open_connection(self._settings)
        connection.connect()
        connection.default_channel  # noqa: B018 - opens it
        return connection

    def _lost(self, reason: str) -> None:
        self._link = None
        self._log_outage(reason, 0)
        if self._sources and self._connecting is None:
            self._connecting = self._loop.create_task(self._connect())

    def _log_outage(self, reason: object, failures: int) -> None:
        logger.log(
            logging.DEBUG if failures else logging.WARNING,
            "The connection for deliveries from %s is lost (%s); connecting again",
            masked_url(self._settings.broker),
            reason,
            extra={"action": "deliveries.waiting"},
        )

    # A delivery

    def _arrived(self, link: ConsumerLink, arrival: Arrival) -> None:
        source = self._sources.get(arrival.consumer)
        if source is None or not self._takes_deliveries:
            return  # it goes back to its queue with the connection
        task = source.task
        delivered = None
        if not self._is_heard and _is_plain(task):
            delivered = read(arrival, source.queue, task.work.step)
        if delivered is None:
            soon(lambda: _take_stock_path(source, arrival, Settling(self._loop, link)))
        elif delivered.run.id in state.revoked:
            self._events.send("task-revoked", delivered.run.id, terminated=False, expired=False)
            link.ack(arrival.tag)
        else:
            self._begin(link, arrival, source, delivered)

    @property
    def _takes_deliveries(self) -> bool:
        consumer = getattr(self._app, "step_consumer", None)
        return consumer is None or bool(consumer.takes_deliveries)

    def _begin(
        self, link: ConsumerLink, arrival: Arrival, source: _Source, delivered: Delivered
    ) -> None:
        loop = asyncio.get_running_loop()
        request = DirectRequest(
            source.task,
            delivered,
            hostname=self._events.hostname,
            pid=self._pid,
            loop=loop,
            queue=source.queue.name,
        )
        request.arrived()
        self._events.received(request, arrival.body)
        pool = self._pool
        request.work = loop.create_task(
            self._run(pool, source.task, request, delivered, link, arrival.tag)
        )
        pool.direct_runs.add(request.work)

    async def _run(
        self,
        pool: TaskPool,
        task: StepTask,
        request: DirectRequest,
        delivered: Delivered,
        link: ConsumerLink,
        tag: int,
    ) -> None:
        slots = pool.slots
        try:
            if not slots.take_free():
                await slots.take(_urgency(task, delivered))
            try:
                request.started()
                self._events.send("task-started", request.id)
                await task.perform(delivered)
            finally:
                slots.release()
        except BaseException as error:
            self._ended_by(error, request, link, tag)
        else:
            link.ack(tag)
            self._events.send(
                "task-succeeded",
                request.id,
                result="None",
                runtime=time.monotonic() - request.begun,
            )
        finally:
            request.acknowledged = True
            request.ended()
            if request.work is not None:
                pool.direct_runs.discard(request.work)

    def _ended_by(
        self, error: BaseException, request: DirectRequest, link: ConsumerLink, tag: int
    ) -> None:
        """Settles the delivery of a run that ended otherwise than well."""
        if isinstance(error, Retry):
            link.ack(tag)
            self._events.send("task-retried", request.id, exception=repr(error.exc or error))
        elif isinstance(error, StepFailedError):
            link.ack(tag)
            self._events.send("task-failed", request.id, exception=str(error))
        elif isinstance(error, Ignore):
            link.ack(tag)
        elif isinstance(error, asyncio.CancelledError) and request.cut_by == "terminated":
            link.ack(tag)
            self._events.send("task-revoked", request.id, terminated=True, expired=False)
        elif isinstance(error, asyncio.CancelledError):
            return  # the worker stops: the event goes back with the connection
        else:
            if not isinstance(error, Reject):
                logger.error(
                    "A run of %s could not be ended; its event comes again",
                    request.name,
                    exc_info=error,
                    extra={"action": "run.unsettled"},
                )
            link.reject(tag, requeue=True)
            self._events.send("task-rejected", request.id, requeue=True)


class DirectFeed:
    """One queue's part of the direct feed."""

    def __init__(self, stop: Callable[[], object]) -> None:
        self._end = stop

    def stop(self) -> None:
        """Delivers nothing more; what runs is settled as it ends."""
        self._end()


class Settling:
    """What Celery's path settles a direct delivery with, in the place of a channel."""

    no_ack_consumers: frozenset[str] = frozenset()

    def __init__(self, loop: asyncio.AbstractEventLoop, link: ConsumerLink) -> None:
        self._loop = loop
        self._link = link

    @property
    def is_open(self) -> bool:
        """Whether a delivery can be settled still."""
        return self._link.is_open

    def basic_ack(self, delivery_tag: int, multiple: bool = False) -> None:
        """Acknowledges a delivery, from any thread."""
        self._loop.call_soon_threadsafe(self._link.ack, delivery_tag)

    def basic_reject(self, delivery_tag: int, requeue: bool = False) -> None:
        """Rejects a delivery, from any thread."""
        self._loop.call_soon_threadsafe(lambda: self._link.reject(delivery_tag, requeue=requeue))


class DirectMessage(StockMessage, SettledAtOnce):
    """A direct delivery on Celery's path."""


def _take_stock_path(source: _Source, arrival: Arrival, channel: Settling) -> None:
    """Gives an arrival to Celery as its own consumer would have had it."""
    raw = RawMessage(arrival.body, channel=channel)
    raw.properties = arrival.properties
    raw.delivery_info = {
        "consumer_tag": arrival.consumer,
        "delivery_tag": arrival.tag,
        "redelivered": arrival.redelivered,
        "exchange": arrival.exchange,
        "routing_key": arrival.routing_key,
    }
    source.queue.take(
        raw, channel, lambda event: source.deliver(DirectMessage(event, channel=channel))
    )


def _is_plain(task: StepTask) -> bool:
    """Whether nobody has changed the task in a way that Celery alone would keep to."""
    return (
        task.acks_late
        and task.rate_limit is None
        and task.time_limit is None
        and task.soft_time_limit is None
    )


def _urgency(task: StepTask, delivered: Delivered) -> tuple[int, ...]:
    return TaskPool.urgency(getattr(task, "priority", None), delivered.event.priority)
