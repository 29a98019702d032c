"""A Step's queue: kombu's ``Queue``, with one public method overridden.

:meth:`StepQueue.consume` rewrites each delivery, before Celery sees it, into a Celery protocol 2
message for this queue's Step. Nothing inside Celery is touched.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

import orjson
from kombu import Exchange, Queue, binding, serialization
from kombu.message import Message as VirtualMessage

from motia_celery.broker import wire
from motia_celery.broker.death import has_made_up_history, letter
from motia_celery.broker.envelope import mend_entries
from motia_celery.broker.redelivery import stop_poison
from motia_celery.errors import MessageRejectedError, OversizedMessageError, UnknownTaskError
from motia_celery.model.event import derived_id, run_id
from motia_celery.model.topic import topic_fault
from motia_celery.plan.topology import (
    DELIVERY_LIMIT,
    PARTITION_HOLD_SECONDS,
    Names,
    QueuePlan,
)

logger = logging.getLogger("motia_celery.broker")

#: The content type of a rewritten delivery. kombu's own JSON gives a meaning to dicts with a
#: `__type__`; an event's data has none, and arrives as it was sent.
EVENT_TASK = "application/x-motia-event-task"
serialization.register("motia-event-task", json.dumps, json.loads, EVENT_TASK, "utf-8")

#: Celery's options for what follows a task; an event has none of them.
_EMBED = b'{"callbacks":null,"errbacks":null,"chain":null,"chord":null}'
_CONTENT_TYPES = (None, "", "application/json", "application/cloudevents+json")
_ENCODINGS = (None, "", "utf-8", "utf8", "binary", "us-ascii")
#: Characters of an event's data that Flower shows.
_REPR_LIMIT = 500

#: The headers that a run sees. Others stay behind: Celery would take some for its own.
_CARRIED = (wire.TRACEPARENT, wire.ROOT, wire.PARENT, "tracestate", "baggage")
#: The properties that a message keeps while it waits.
_KEPT = ("correlation_id", "timestamp", "app_id", "priority")
#: The headers of what is no event on its first way to a Step.
_NOT_NEW = frozenset({"task", wire.DELAYED, wire.RUN})
#: AMQP's limit for short strings, which ids become when they are sent on.
_TEXT_LIMIT = 255
_EMBEDDED = frozenset({"callbacks", "errbacks", "chain", "chord"})

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
        elif self.forward is not None and has_made_up_history(raw):
            exchange = self.queue_arguments["x-dead-letter-exchange"]
            self.forward(self.channel, raw.delivery_tag, letter(raw, fault, exchange, self.name))
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
        if not headers.keys().isdisjoint(_NOT_NEW) or _attempt(headers) > 1:
            return 0
        return max(0, self.delay_seconds - delivery.age(now))

    def _held_back(self, delivery: Delivery, seconds: float) -> wire.Message:
        topic = _text(delivery.headers, wire.TOPIC) or self._routed_topic(delivery)
        carried = _carried(delivery.headers)
        given = delivery.properties
        return wire.Message(
            exchange="",
            routing_key=self.name,
            body=delivery.body,
            headers={**carried, wire.TOPIC: topic, wire.DELAYED: True},
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
            delivery.rewrite(*self._task_message(delivery))
        elif fault := task_fault(delivery.headers, body):
            raise MessageRejectedError(fault, self.name)
        # Celery re-sends a retry to where the delivery came from: to this queue, not to everyone
        # who subscribed to the topic.
        delivery.info["exchange"], delivery.info["routing_key"] = "", self.name
        if delivery.headers.get(wire.REDELIVERED) is True:
            delivery.info["redelivered"] = True

    def _check(self, delivery: Delivery) -> None:
        if len(delivery.body) > self.limit_bytes:
            size = len(delivery.body)
            raise OversizedMessageError(f"its body has {size} bytes.", self.name)
        if delivery.content_type not in _CONTENT_TYPES:
            raise MessageRejectedError(
                f"its content type is {str(delivery.content_type)[:100]!r}.", self.name
            )
        encoding = delivery.content_encoding
        if (encoding.lower() if isinstance(encoding, str) else encoding) not in _ENCODINGS:
            raise MessageRejectedError(f"its encoding is {str(encoding)[:100]!r}.", self.name)

    def _parsed(self, delivery: Delivery) -> Any:
        try:
            return orjson.loads(delivery.body)
        except orjson.JSONDecodeError as error:
            raise MessageRejectedError(f"its body is not JSON ({error}).", self.name) from error

    def _task_message(self, delivery: Delivery) -> tuple[bytes, dict[str, Any], str]:
        topic = _text(delivery.headers, wire.TOPIC) or self._routed_topic(delivery)
        event_id = delivery.event_id(topic)
        identity = _text(delivery.headers, wire.RUN) or run_id(event_id, self.name)
        headers = {
            **_carried(delivery.headers),
            wire.TOPIC: "" if topic_fault(topic) else topic,
            wire.EVENT: event_id,
            wire.SENT: delivery.sent_at,
            wire.PRIORITY: delivery.priority,
            wire.BOOKED: delivery.headers.get(wire.BOOKED) is True,
            "lang": "py",
            "task": self.task,
            "id": identity,
            "root_id": _text(delivery.headers, wire.ROOT) or identity,
            "parent_id": _text(delivery.headers, wire.PARENT),
            "group": None,
            "retries": _attempt(delivery.headers) - 1,
            "timelimit": [None, None],
            "eta": None,
            "expires": None,
            "shadow": None,
            "ignore_result": True,
            "argsrepr": delivery.body[:_REPR_LIMIT].decode(errors="replace"),
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


class Delivery:
    """One delivery, read and rewritten alike on AMQP and on kombu's virtual transports."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._virtual = isinstance(raw, VirtualMessage)
        self.properties: dict[str, Any] = raw.properties
        self.info: dict[str, Any] = raw.delivery_info
        headers = raw.headers if self._virtual else self.properties.get("application_headers")
        self.headers: dict[str, Any] = dict(headers or {})
        body = raw.body
        self.body = body.encode() if isinstance(body, str) else bytes(body or b"")

    @property
    def content_type(self) -> Any:
        """The content type that the publisher gave."""
        return self._raw.content_type if self._virtual else self.properties.get("content_type")

    @property
    def content_encoding(self) -> Any:
        """The content encoding that the publisher gave."""
        if self._virtual:
            return self._raw.content_encoding
        return self.properties.get("content_encoding")

    @property
    def sent_at(self) -> int | None:
        """The epoch second of the emit, where the publisher gave one."""
        given = self.properties.get("timestamp")
        return given if type(given) is int and given >= 0 else None

    @property
    def priority(self) -> int | None:
        """The priority that the publisher gave; on Redis there is none."""
        given = self.properties.get("priority")
        return given if type(given) is int and not self._virtual else None

    def age(self, now: float) -> float:
        """How many seconds ago it was sent, at least; 0 where its publisher does not say."""
        # The time of sending is in whole seconds.
        return 0.0 if self.sent_at is None else max(0.0, now - (self.sent_at + 1))

    def event_id(self, topic: str) -> str:
        """The event's id; a foreign message without one gets one that a redelivery gets too."""
        given = self.properties.get("message_id")
        if isinstance(given, str) and given:
            return given
        sent = str(self.properties.get("timestamp") or "")
        return derived_id("anonymous", topic, self.body.decode(errors="replace"), sent)

    def rewrite(self, body: bytes, headers: dict[str, Any], identity: str) -> None:
        """Puts a task message in the delivery's place."""
        self.properties["correlation_id"] = identity
        if self._virtual:
            self._raw.body, self._raw.headers = body, headers
            self._raw.content_type, self._raw.content_encoding = EVENT_TASK, "utf-8"
            self._raw._decoded_cache = None
            self._raw.errors.clear()  # kombu's, of headers that do not count any more
        else:
            self._raw.body = body
            self.properties.update(
                application_headers=headers,
                content_type=EVENT_TASK,
                content_encoding="utf-8",
            )


def _text(headers: dict[str, Any], name: str) -> str | None:
    value = headers.get(name)
    if not isinstance(value, str) or not value or len(value.encode()) > _TEXT_LIMIT:
        return None
    return value


def _carried(headers: dict[str, Any]) -> dict[str, str]:
    found = {name: value for name in _CARRIED if (value := _text(headers, name))}
    group = group_of(headers)
    return {**found, wire.GROUP: group} if group else found


def group_of(headers: dict[str, Any]) -> str | None:
    """The group that a message belongs to; other services may send a number."""
    value = headers.get(wire.GROUP)
    return str(value) if type(value) is int else _text(headers, wire.GROUP)


def _attempt(headers: dict[str, Any]) -> int:
    value = headers.get(wire.ATTEMPT)
    return value if type(value) is int and 1 <= value <= 1_000_000 else 1


def task_fault(headers: dict[str, Any], body: Any) -> str | None:
    """Why Celery could not take a task message, or None: one that it fails on ends its worker."""
    if _text(headers, "id") is None:
        return "it is a task without an id."
    if headers.get("compression"):
        return "it is a compressed task."
    limits = headers.get("timelimit")
    if limits and not _are_numbers(limits, 2):
        return "its time limits are no two numbers."
    if not _are_numbers([headers.get("retries")], 1):
        return "its number of retries is none."
    if not isinstance(body, list) or len(body) != 3:
        return "its body is no task."
    args, kwargs, embed = body
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        return "its body holds no arguments."
    if embed is not None and not (isinstance(embed, dict) and embed.keys() <= _EMBEDDED):
        return "what follows it can not be understood."
    return None


def _are_numbers(values: Any, count: int) -> bool:
    """Whether it is a list of so many numbers that are not negative, each of which may be None."""
    return (
        isinstance(values, (list, tuple))
        and len(values) == count
        and all(v is None or (type(v) in (int, float) and v >= 0) for v in values)
    )


def queue_arguments(names: Names) -> dict[str, Any]:
    """A Step queue's arguments on RabbitMQ: replicated, bounded in redeliveries, never dropping."""
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": names.dead_letter_exchange,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def partition_queue(name: str, queue: str, names: Names) -> Queue:
    """The queue of one partition on RabbitMQ: one consumer at a time, however many are there."""
    return Queue(
        name,
        durable=True,
        queue_arguments={
            **queue_arguments(names),
            "x-single-active-consumer": True,
            "x-dead-letter-routing-key": queue,
            # RabbitMQ 3.12 and later; a delivery is held through all attempts of its run.
            "x-consumer-timeout": PARTITION_HOLD_SECONDS * 1000,
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
) -> StepQueue:
    """The kombu queue of a planned one.

    ``refused`` takes the messages that are no events, ``forward`` those that wait for the Step's
    delay.
    """
    arguments = queue_arguments(names) if amqp else None
    if arguments:
        arguments["x-dead-letter-routing-key"] = plan.name
        if plan.partitions:
            arguments["x-single-active-consumer"] = True
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
