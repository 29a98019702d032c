"""A message of the dead-letter queue read as a dead letter, and the message that replays it."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from motia_celery.broker import wire
from motia_celery.broker.delivery import Delivery
from motia_celery.broker.queue import StepQueue, step_queue
from motia_celery.broker.wire import Message
from motia_celery.errors import MessageRejectedError
from motia_celery.model.dead_letter import DeadLetter, Reason
from motia_celery.model.event import run_id
from motia_celery.model.run import RunError
from motia_celery.model.trace import Trace, trace_headers
from motia_celery.plan.topology import Names, QueuePlan, queue_of

#: What an error of ours says about why a letter is dead; any other is the handler's.
_BY_ERROR: Mapping[str, Reason] = {
    "MessageRejectedError": "undecodable",
    "OversizedMessageError": "oversized",
    "UnknownTaskError": "unknown task",
    "PoisonMessageError": "poison",
    "SchemaMismatchError": "misfit",
    "InputMismatchError": "misfit",
    "TimeLimitExceeded": "time limit",
    "Rejected": "rejected",
}
#: RabbitMQ's own reasons, and what they mean here.
_BY_BROKER: Mapping[str, tuple[Reason, RunError]] = {
    "delivery_limit": (
        "poison",
        RunError("PoisonMessageError", "its worker died at each delivery, up to the limit."),
    ),
    "expired": ("expired", RunError("Expired", "its time to live ended in the queue.")),
    "maxlen": ("overflow", RunError("Overflow", "the queue was longer than a policy allows.")),
    "rejected": ("rejected", RunError("Rejected", "the worker rejected it.")),
}
_UNKNOWN: tuple[Reason, RunError] = ("unknown", RunError("Unknown", "nothing is known of it."))

_MOST_QUEUES = 1_000
#: Levels of a header that are read: it may be of anybody's making.
_LEVELS = 16
#: The headers that a replayed event keeps: what ties it to its trace and its cause.
_KEPT = (
    wire.ROOT,
    wire.PARENT,
    wire.GROUP,
    wire.PREVIOUS,
)


@dataclass(slots=True)
class RawMessage:
    """A message as a queue keeps it, in the shape that py-amqp gives to a delivery."""

    body: bytes
    properties: dict[str, Any] = field(default_factory=dict)
    delivery_info: dict[str, Any] = field(default_factory=dict)


class Held:
    """A message of the dead-letter queue while it is looked at."""

    __slots__ = ("handle", "raw")

    def __init__(self, raw: Any, handle: Any) -> None:
        self.raw = raw
        self.handle = handle


class LetterReader:
    """Reads messages as dead letters. ``queues`` tell the names of Steps that queues can not."""

    def __init__(self, names: Names, limit_bytes: int, queues: Iterable[QueuePlan] = ()) -> None:
        self._names = names
        self._limit_bytes = limit_bytes
        self._steps = {plan.name: plan.step for plan in queues}
        self._queues: dict[tuple[str, str], StepQueue] = {}

    def read(self, raw: Any) -> DeadLetter:
        """The dead letter that a message is; whatever it holds, this does not fail."""
        message = _copied(raw)
        headers = message.properties["application_headers"]
        death = self._last_death(headers)
        queue = self._queue(headers, death, message)
        step = _words(headers, wire.STEP) or self._step(queue)
        self._put_back(message, death, queue)
        content_type = str(message.properties.get("content_type") or "")
        routed = self._routed_topic(message)
        correlation_id = str(message.properties.get("correlation_id") or "")
        delivery = Delivery(message)
        fault = self._fault(message, queue, step)
        as_run = headers if fault else message.properties["application_headers"]
        topic = _words(as_run, wire.TOPIC) or routed
        event_id = str(as_run.get(wire.EVENT) or delivery.event_id(topic))
        reason, error = _why(headers, death, fault)
        return DeadLetter(
            id=_identity(headers, as_run) or run_id(event_id, queue),
            reason=reason,
            step=step,
            queue=queue,
            topic=topic,
            error=error,
            attempts=_attempts(headers, as_run, never_ran=fault is not None),
            died_at=_died_at(headers, death),
            event_id=event_id,
            trace_id=_trace_id(headers),
            body=delivery.body if fault else _event_body(delivery.body, headers),
            content_type=content_type,
            correlation_id=correlation_id,
            priority=delivery.priority,
            headers=headers,
        )

    def _fault(self, message: RawMessage, queue: str, step: str) -> MessageRejectedError | None:
        """Why a worker refuses the message; one that it takes is rewritten, as there."""
        try:
            self._step_queue(queue, step).adapt(message)
        except MessageRejectedError as error:
            return error
        except Exception as error:  # a worker's hook takes any fault of a message for a refusal
            return MessageRejectedError(f"{type(error).__name__}: {error}")
        return None

    def _last_death(self, headers: Mapping[str, Any]) -> Mapping[str, Any]:
        """RabbitMQ's record of the last time that the message died in a Step's queue."""
        given = headers.get("x-death")
        deaths = [
            death
            for death in (given if isinstance(given, list) else [])
            if isinstance(death, Mapping) and self._is_step_queue(death.get("queue"))
        ]
        last = headers.get("x-last-death-queue"), headers.get("x-last-death-reason")
        for death in deaths:
            if (death.get("queue"), death.get("reason")) == last:
                return death
        return deaths[0] if deaths else {}

    def _is_step_queue(self, name: object) -> bool:
        return str(name).startswith(f"{self._names.prefix}.q.")

    def _queue(
        self, headers: Mapping[str, Any], death: Mapping[str, Any], message: RawMessage
    ) -> str:
        routed = message.delivery_info.get("routing_key")
        for name in (headers.get(wire.QUEUE), death.get("queue"), routed):
            if self._is_step_queue(name):
                return queue_of(str(name))
        return ""

    def _step(self, queue: str) -> str:
        return self._steps.get(queue) or queue.removeprefix(f"{self._names.prefix}.q.")

    def _step_queue(self, queue: str, step: str) -> StepQueue:
        found = self._queues.get((queue, step))
        if found is None:
            plan = QueuePlan(name=queue, step=step)
            limit = self._limit_bytes
            found = step_queue(plan, self._names, amqp=False, prefetch=1, limit_bytes=limit)
            if len(self._queues) < _MOST_QUEUES:  # names in headers may be anybody's
                self._queues[queue, step] = found
        return found

    def _put_back(self, message: RawMessage, death: Mapping[str, Any], queue: str) -> None:
        """Makes the message what it was when a worker last got it."""
        headers, properties = message.properties["application_headers"], message.properties
        keys = death.get("routing-keys")
        key = keys[0] if isinstance(keys, list) and keys else queue
        message.delivery_info = {"exchange": death.get("exchange", ""), "routing_key": key}
        if wire.CONTENT_TYPE_WAS in headers:
            properties["content_type"] = headers[wire.CONTENT_TYPE_WAS]
            properties["content_encoding"] = headers.get(wire.CONTENT_ENCODING_WAS)

    def _routed_topic(self, message: RawMessage) -> str:
        """The topic of a foreign message, which has it in no header."""
        info = message.delivery_info
        return str(info["routing_key"]) if info["exchange"] == self._names.events else ""


def replay_message(letter: DeadLetter, body: bytes, names: Names, *, amqp: bool) -> Message:
    """The message that runs a dead letter's Step again: the same event and run, attempt 1."""
    headers = {name: value for name in _KEPT if (value := _words(letter.headers, name))}
    headers |= trace_headers(letter.headers)
    if letter.topic:
        headers[wire.TOPIC] = letter.topic
    return Message(
        exchange=names.steps if amqp else "",
        routing_key=letter.queue,
        body=body,
        headers={**headers, **wire.queued_at(), wire.RUN: letter.id},
        properties={
            "message_id": letter.event_id,
            "correlation_id": letter.correlation_id or letter.event_id,
            # It is sent now: what was called off before does not call it off too.
            "timestamp": int(time.time()),
            "app_id": wire.APP_ID,
            "delivery_mode": 2,
            **({"priority": letter.priority} if letter.priority is not None else {}),
        },
        mandatory=True,
    )


def _copied(raw: Any) -> RawMessage:
    given = dict(raw.properties)
    headers = dict(given.pop("application_headers", None) or {})
    properties = {**_cleaned(given), "application_headers": _cleaned(headers)}
    body = raw.body
    return RawMessage(
        body.encode() if isinstance(body, str) else bytes(body or b""),
        properties,
        _cleaned(dict(raw.delivery_info)),
    )


def _cleaned(value: Any, levels: int = _LEVELS) -> Any:
    """What a message says, without what no JSON and no terminal takes."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if not isinstance(value, (Mapping, list, tuple)):
        return value
    if not levels:
        return "…"
    if isinstance(value, Mapping):
        return {_cleaned(str(n)): _cleaned(inner, levels - 1) for n, inner in value.items()}
    return [_cleaned(inner, levels - 1) for inner in value]


def _why(
    headers: Mapping[str, Any], death: Mapping[str, Any], fault: MessageRejectedError | None
) -> tuple[Reason, RunError]:
    """Why it is dead: what its headers say, else the broker, else what is wrong with it."""
    if told := _words(headers, wire.ERROR_TYPE):
        return _BY_ERROR.get(told, "failed"), RunError(
            told,
            _words(headers, wire.ERROR_MESSAGE),
            _words(headers, wire.ERROR_WHERE),
            _words(headers, wire.TRACEBACK),
        )
    by_broker = _BY_BROKER.get(str(death.get("reason")), _UNKNOWN)
    if fault is not None and by_broker[0] in ("rejected", "unknown"):
        name = type(fault).__name__
        return _BY_ERROR[name], RunError(name, fault.what)
    if by_broker[0] == "rejected" and headers.get("task") is not None:
        # A worker's hook let it pass, and Celery itself could not take it.
        return "undecodable", RunError("MessageRejectedError", "it is no task that Celery can run.")
    return by_broker


def _identity(headers: Mapping[str, Any], as_run: Mapping[str, Any]) -> str:
    own = _words(as_run, "id") if as_run.get("task") is not None else ""
    return _words(headers, wire.RUN) or own


def _attempts(headers: Mapping[str, Any], as_run: Mapping[str, Any], *, never_ran: bool) -> int:
    told = headers.get(wire.ATTEMPT)
    if type(told) is int:
        return told
    retries = as_run.get("retries")
    return 0 if never_ran else 1 + (retries if type(retries) is int else 0)


def _died_at(headers: Mapping[str, Any], death: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(headers[wire.DIED_AT]) / 1000, UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        pass
    told = death.get("time")
    return told.replace(tzinfo=UTC) if isinstance(told, datetime) else None


def _trace_id(headers: Mapping[str, Any]) -> str:
    trace = Trace.read(headers)
    return trace.trace_id if trace else ""


def _event_body(body: bytes, headers: Mapping[str, Any]) -> bytes:
    """The event's data; of a task message that Celery sent, what its handler would be given."""
    if headers.get("task") is None:
        return body
    args, kwargs, _ = json.loads(body)
    return json.dumps(args[0] if args else (kwargs or None)).encode()


def _words(headers: Mapping[str, Any], name: str) -> str:
    value = headers.get(name)
    return value if isinstance(value, str) else ""
