"""One delivery of a Step's queue: what its publisher said in it, and its place in the worker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kombu import serialization
from kombu.message import Message as VirtualMessage

from motia_celery.broker import wire
from motia_celery.model.event import derived_id
from motia_celery.model.trace import BAGGAGE, TRACEPARENT, TRACESTATE, trace_headers

#: The content type of a rewritten delivery. kombu's own JSON gives a meaning to dicts with a
#: `__type__`; an event's data has none, and arrives as it was sent.
EVENT_TASK = "application/x-motia-event-task"
serialization.register("motia-event-task", json.dumps, json.loads, EVENT_TASK, "utf-8")

#: The headers that a run sees. Others stay behind: Celery would take some for its own.
_CARRIED = (TRACEPARENT, wire.ROOT, wire.PARENT, wire.PREVIOUS, wire.DEPTH)
#: AMQP's limit for short strings, which ids become when they are sent on.
_TEXT_LIMIT = 255
_EMBEDDED = frozenset({"callbacks", "errbacks", "chain", "chord"})


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

    def show(self, args: str, kwargs: str) -> None:
        """Puts other words in the place of those that say what a task's arguments are."""
        self.headers |= {"argsrepr": args, "kwargsrepr": kwargs}
        if self._virtual:
            self._raw.headers = self.headers
        else:
            self.properties["application_headers"] = self.headers

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


def text_of(headers: Mapping[str, Any], name: str) -> str | None:
    """A header that is a text, and short enough to be sent on."""
    value = headers.get(name)
    if not isinstance(value, str) or not value or len(value.encode()) > _TEXT_LIMIT:
        return None
    return value


def carried(headers: dict[str, Any]) -> dict[str, str]:
    """The headers that tie a message to its trace, its cause and its group."""
    found = {name: value for name in _CARRIED if (value := text_of(headers, name))}
    if TRACESTATE in headers or BAGGAGE in headers:  # longer, and to be checked
        found |= trace_headers(headers)
    group = group_of(headers)
    return {**found, wire.GROUP: group} if group else found


def group_of(headers: dict[str, Any]) -> str | None:
    """The group that a message belongs to; other services may send a number."""
    value = headers.get(wire.GROUP)
    return str(value) if type(value) is int else text_of(headers, wire.GROUP)


def moment_of(headers: dict[str, Any]) -> int | None:
    """When a message was put into its queue, in epoch milliseconds, where it says so."""
    value = headers.get(wire.QUEUED)
    return value if type(value) is int and 0 <= value < 2**53 else None


def attempt_of(headers: dict[str, Any]) -> int:
    """Which attempt of its run a message starts; 1 where it does not say."""
    value = headers.get(wire.ATTEMPT)
    return value if type(value) is int and 1 <= value <= 1_000_000 else 1


def task_fault(headers: dict[str, Any], body: Any) -> str | None:
    """Why Celery could not take a task message, or None: one that it fails on ends its worker."""
    if text_of(headers, "id") is None:
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
