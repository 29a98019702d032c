"""A Step's queue: kombu's ``Queue``, with one public method overridden.

:meth:`StepQueue.consume` rewrites each delivery, before Celery sees it, into a Celery protocol 2
message for this queue's Step. Nothing inside Celery is touched.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from kombu import Exchange, Queue, binding

from motia_celery.broker import wire
from motia_celery.broker.arguments import shown_arguments
from motia_celery.broker.death import has_made_up_history, letter
from motia_celery.broker.delivery import (
    Delivery,
    attempt_of,
    carried,
    moment_of,
    task_fault,
    text_of,
)
from motia_celery.broker.envelope import mend_entries
from motia_celery.broker.redelivery import stop_poison
from motia_celery.broker.unreadable import UNREADABLE
from motia_celery.errors import MessageRejectedError, OversizedMessageError, UnknownTaskError
from motia_celery.model.event import parsed, run_id
from motia_celery.model.redaction import DEFAULT as REDACTION
from motia_celery.model.redaction import Redaction
from motia_celery.model.topic import topic_fault
from motia_celery.plan.topology import (
    DELIVERY_LIMIT,
    LONGEST_HOLD_SECONDS,
    Names,
    QueuePlan,
)

logger = logging.getLogger("motia_celery.broker")

#: Celery's options for what follows a task; an event has none of them.
_EMBED = b'{"callbacks":null,"errbacks":null,"chain":null,"chord":null}'
_CONTENT_TYPES = (None, "", "application/json", "application/cloudevents+json")
_ENCODINGS = (None, "", "utf-8", "utf8", "binary", "us-ascii")
#: The properties that a message keeps while it waits.
_KEPT = ("correlation_id", "timestamp", "app_id", "priority")
#: The headers of what is no event on its first way to a Step.
_NOT_NEW = frozenset({"task", wire.DELAYED, wire.RUN})
Refused = Callable[[Any, MessageRejectedError], None]
#: Publishes a message in the place of a delivery, which a channel and a tag name.
Forward = Callable[[Any, Any, wire.Message], None]


class StepQueue(Queue):
    """The queue of one Step. ``topics`` are bound on ``events``; its name on its own exchange."""

    # `bindings` stays out: kombu would pass it to __init__, where it drops the exchange.
    attrs = (
        *(attribute for attribute in Queue.attrs if attribute[0] != "bindings"),
        ("task", None),
        ("topics", tuple),
        ("events", None),
        ("prefetch", None),
        ("limit_bytes", None),
        ("partitions", None),
        ("refused", None),
        ("delay_seconds", None),
        ("forward", None),
        ("direct", None),
        ("redaction", None),
    )

    task: str
    topics: tuple[str, ...]
    events: Exchange
    prefetch: int
    limit_bytes: int
    partitions: int
    refused: Refused | None
    delay_seconds: float
    forward: Forward | None
    #: Its deliveries come by the direct feed.
    direct: bool
    redaction: Redaction | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Set after __init__, and beside the exchange: were the topics the queue's only bindings,
        # native delay would bind `#.<topic>` on the events exchange, and `#.created` would
        # match `user.created`.
        self.bindings = {binding(self.events, topic) for topic in self.topics}

    def consume(
        self,
        consumer_tag: str = "",
        callback: Callable[[Any], Any] | None = None,
        no_ack: bool | None = None,
        nowait: bool = False,
        on_cancel: Callable[..., Any] | None = None,
    ) -> Any:
        """Starts consuming; see the module for what happens to each delivery.

        A queue with a feed of its own is not consumed here: a fifo Step's, partition by partition,
        and one of the direct path.
        """
        if self.has_feed:
            return None
        # A prefetch stays in force for every consumer that follows on the channel, so each
        # queue sets its own.
        self.channel.basic_qos(0, self.prefetch, False)
        mend_entries(self.channel)

        def deliver(raw: Any) -> Any:
            return self.take(raw, self.channel, callback)

        return super().consume(
            consumer_tag, deliver, no_ack=no_ack, nowait=nowait, on_cancel=on_cancel
        )

    @property
    def has_feed(self) -> bool:
        """Whether it is consumed by a feed, and not by Celery's consumer."""
        return bool(self.partitions or self.direct)

    def take(self, raw: Any, channel: Any, callback: Callable[[Any], Any] | None) -> Any:
        """Makes a task message of a delivery of ``channel`` and calls ``callback`` with it, or
        refuses it, or sends it the way of delayed ones.
        """
        try:
            if self.refused is not None:  # on RabbitMQ the queue's delivery limit does it
                stop_poison(channel, raw, self.name)
            elif has_made_up_history(raw):
                raise MessageRejectedError("its x-death is not the broker's.", self.name)
            if (later := self.postponed(raw, time.time())) is not None and self.forward:
                return self.forward(channel, raw.delivery_tag, later)
            self.adapt(raw)
        except Exception as error:  # an escaping exception would end the worker's loop
            return self.refuse(raw, error)
        return callback(raw) if callback else None

    def as_dict(self, recurse: bool = False) -> dict[str, Any]:
        """The queue as a dict; ``recurse`` is for `inspect active_queues`, which sends it."""
        fields: dict[str, Any] = super().as_dict(recurse)
        if recurse:
            fields.pop("refused", None)
            fields.pop("forward", None)
            fields.pop("redaction", None)
        return fields

    def refuse(self, raw: Any, error: Exception) -> None:
        """Sends a delivery that is no event to the dead letters."""
        fault = error
        if not isinstance(fault, MessageRejectedError):
            fault = MessageRejectedError(f"{type(error).__name__}: {error}", self.name)
        logger.error(
            "Refused a message on %s, which goes to the dead letters: %s",
            self.name,
            fault.what,
            extra={"action": "message.refused"},
            exc_info=None if fault is error else error,
        )
        if self.refused is not None:
            self.refused(raw, fault)
        elif self.forward is not None and _has_own_letter(raw):
            exchange = self.queue_arguments["x-dead-letter-exchange"]
            self.forward(raw.channel, raw.delivery_tag, letter(raw, fault, exchange, self.name))
        else:
            raw.channel.basic_reject(raw.delivery_tag, requeue=False)

    def postponed(self, raw: Any, now: float) -> wire.Message | None:
        """The delivery as a message for later; None where it has waited for its Step's delay.

        Raises:
            MessageRejectedError: it is no event.
        """
        wait = self.remaining(raw, now)
        if wait <= 0:
            return None
        delivery = Delivery(raw)
        self._check(delivery)
        self._parsed(delivery)
        return self._held_back(delivery, wait)

    def remaining(self, raw: Any, now: float) -> float:
        """The seconds that a delivery has to wait for its Step's delay."""
        if not self.delay_seconds:
            return 0
        delivery = Delivery(raw)
        headers = delivery.headers
        if not headers.keys().isdisjoint(_NOT_NEW) or attempt_of(headers) > 1:
            return 0
        return max(0, self.delay_seconds - delivery.age(now))

    def _held_back(self, delivery: Delivery, seconds: float) -> wire.Message:
        topic = text_of(delivery.headers, wire.TOPIC) or self._routed_topic(delivery)
        kept = carried(delivery.headers)
        given = delivery.properties
        return wire.Message(
            exchange="",
            routing_key=self.name,
            body=delivery.body,
            headers={
                **kept,
                **wire.queued_at(seconds),
                wire.TOPIC: topic,
                wire.DELAYED: True,
            },
            properties={
                **{name: given[name] for name in _KEPT if given.get(name) is not None},
                # A message without an id got one from where it came from, which is lost now.
                "message_id": delivery.event_id(topic),
                "delivery_mode": 2,
            },
            delay_seconds=seconds,
        )

    def adapt(self, raw: Any) -> None:
        """Rewrites a delivery in place into a task message for this queue's Step.

        Raises:
            MessageRejectedError: it is no event, and no task of this Step.
        """
        delivery = Delivery(raw)
        task = delivery.headers.get("task")
        if task is not None and task != self.task:
            raise UnknownTaskError(f"it asks for the task {str(task)[:100]!r}.", self.name)
        self._check(delivery)
        body = self._parsed(delivery)
        if task is None:
            delivery.rewrite(*self._task_message(delivery, body))
        elif fault := task_fault(delivery.headers, body):
            raise MessageRejectedError(fault, self.name)
        else:
            args, kwargs, _ = body
            delivery.show(
                shown_arguments(args, self.redaction), shown_arguments(kwargs, self.redaction)
            )
        # Celery re-sends a retry to where the delivery came from: to this queue, not to everyone
        # who subscribed to the topic.
        delivery.info["exchange"], delivery.info["routing_key"] = "", self.name
        if delivery.headers.get(wire.REDELIVERED) is True:
            delivery.info["redelivered"] = True

    def _check(self, delivery: Delivery) -> None:
        if len(delivery.body) > self.limit_bytes:
            size = len(delivery.body)
            raise OversizedMessageError(f"its body has {size} bytes.", self.name)
        if delivery.content_type == UNREADABLE:
            raise MessageRejectedError("its properties can not be read.", self.name)
        if delivery.content_type not in _CONTENT_TYPES:
            raise MessageRejectedError(
                f"its content type is {str(delivery.content_type)[:100]!r}.", self.name
            )
        encoding = delivery.content_encoding
        if (encoding.lower() if isinstance(encoding, str) else encoding) not in _ENCODINGS:
            raise MessageRejectedError(f"its encoding is {str(encoding)[:100]!r}.", self.name)

    def _parsed(self, delivery: Delivery) -> Any:
        try:
            return parsed(delivery.body)
        except orjson.JSONDecodeError as error:
            raise MessageRejectedError(f"its body is not JSON ({error}).", self.name) from error
        except ValueError as error:
            raise MessageRejectedError(f"its data is {error}.", self.name) from error

    def _task_message(self, delivery: Delivery, data: Any) -> tuple[bytes, dict[str, Any], str]:
        topic = text_of(delivery.headers, wire.TOPIC) or self._routed_topic(delivery)
        event_id = delivery.event_id(topic)
        identity = text_of(delivery.headers, wire.RUN) or run_id(event_id, self.name)
        headers = {
            **carried(delivery.headers),
            wire.TOPIC: "" if topic_fault(topic) else topic,
            wire.EVENT: event_id,
            wire.SENT: delivery.sent_at,
            wire.QUEUED: moment_of(delivery.headers),
            wire.PRIORITY: delivery.priority,
            wire.BODY: delivery.body,
            wire.BOOKED: delivery.headers.get(wire.BOOKED) is True,
            "lang": "py",
            "task": self.task,
            "id": identity,
            "root_id": text_of(delivery.headers, wire.ROOT) or identity,
            "parent_id": text_of(delivery.headers, wire.PARENT),
            "group": None,
            "retries": attempt_of(delivery.headers) - 1,
            "timelimit": [None, None],
            "eta": None,
            "expires": None,
            "shadow": None,
            "ignore_result": True,
            "argsrepr": shown_arguments(data, self.redaction, delivery.body),
            "kwargsrepr": "{}",
            "origin": str(delivery.properties.get("app_id") or "")[:100],
        }
        # The body was just parsed, so putting it in a list can not change its meaning, and its
        # numbers and key order stay exactly as they were sent.
        return b"[[" + delivery.body + b"],{}," + _EMBED + b"]", headers, identity

    def _routed_topic(self, delivery: Delivery) -> str:
        """The topic of a foreign message: its routing key, where it came as an event."""
        if delivery.info.get("exchange") != self.events.name:
            return ""
        return str(delivery.info.get("routing_key") or "")


def _has_own_letter(raw: Any) -> bool:
    """Whether RabbitMQ is not to make the dead letter: it would choke on it, or readers would."""
    return has_made_up_history(raw) or raw.properties.get("content_type") == UNREADABLE


def queue_arguments(names: Names) -> dict[str, Any]:
    """A Step queue's arguments on RabbitMQ: replicated, bounded in redeliveries, never dropping."""
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": names.dead_letter_exchange,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


#: RabbitMQ 3.12 and later; older ones take no notice of it.
_PATIENCE: Mapping[str, Any] = {"x-consumer-timeout": LONGEST_HOLD_SECONDS * 1000}


def partition_queue(name: str, queue: str, names: Names) -> Queue:
    """The queue of one partition on RabbitMQ: one consumer at a time, however many are there."""
    return Queue(
        name,
        durable=True,
        queue_arguments={
            **queue_arguments(names),
            "x-single-active-consumer": True,
            "x-dead-letter-routing-key": queue,
            # A delivery is held through all attempts of its run.
            **_PATIENCE,
        },
    )


def step_queue(
    plan: QueuePlan,
    names: Names,
    *,
    amqp: bool,
    prefetch: int,
    limit_bytes: int,
    refused: Refused | None = None,
    forward: Forward | None = None,
    direct: bool = False,
    redaction: Redaction = REDACTION,
) -> StepQueue:
    """The kombu queue of a planned one.

    ``refused`` takes the messages that are no events, ``forward`` those that wait for the Step's
    delay; ``redaction`` masks what Flower shows.
    """
    arguments = queue_arguments(names) if amqp else None
    if arguments:
        arguments["x-dead-letter-routing-key"] = plan.name
        if plan.partitions:
            arguments["x-single-active-consumer"] = True
        if plan.holds_long:
            arguments |= _PATIENCE
    return StepQueue(
        plan.name,
        Exchange(names.steps, type="topic", durable=True),
        routing_key=plan.name,
        durable=True,
        queue_arguments=arguments,
        task=plan.task,
        topics=plan.topics,
        events=Exchange(names.events, type="topic", durable=True),
        prefetch=prefetch,
        limit_bytes=limit_bytes,
        partitions=plan.partitions,
        refused=refused,
        delay_seconds=plan.delay_seconds,
        forward=forward,
        direct=direct and not plan.partitions,
        redaction=redaction,
    )


def dead_letter_queue(names: Names, *, amqp: bool, limits_by_default: bool = False) -> Queue:
    """The queue that keeps every dead letter, however often it is looked at.

    ``limits_by_default`` is true of RabbitMQ 4, where a quorum queue without an argument drops
    what was delivered 20 times; older ones refuse the argument that turns that off.
    """
    arguments: dict[str, Any] | None = {"x-queue-type": "quorum"} if amqp else None
    if arguments and limits_by_default:
        arguments["x-delivery-limit"] = -1
    return Queue(
        names.dead_letter_queue,
        Exchange(names.dead_letter_exchange, type="topic", durable=True),
        routing_key="#",
        durable=True,
        queue_arguments=arguments,
    )
