"""Queues full of a system's own messages: one that it published itself, copied with other ids."""

from __future__ import annotations

import re
from typing import Any

import amqp

from tests.benchmarks.arena import Place
from tests.benchmarks.processes import wait_for

#: What systems name a message by, in its headers, its properties or its body.
_ID = re.compile(r'"(?:message_id|task_id|id)":\s*"([0-9a-f-]{32,36})"')
FILL_SECONDS = 600.0


class Template:
    """A message of a system, to be copied."""

    def __init__(self, message: Any) -> None:
        body = message.body
        self._body = body.encode() if isinstance(body, str) else bytes(body)
        self._properties = {k: v for k, v in message.properties.items() if k != "delivery_info"}
        self._id = self._own_id()

    def copy(self, number: int) -> amqp.Message:
        """The message with an id of its own."""
        other = f"{self._id[:-8]}{number:08x}"
        properties = _replaced(self._properties, self._id, other)
        body = self._body.replace(self._id.encode(), other.encode())
        return amqp.Message(body, **properties)

    def _own_id(self) -> str:
        headers = self._properties.get("application_headers") or {}
        found = headers.get("id") or self._properties.get("message_id")
        if not found:
            match = _ID.search(self._body.decode())
            found = match[1] if match else self._properties["correlation_id"]
        return str(found)


def take(place: Place, queue: str) -> Template:
    """The one message that a system put into the queue."""
    found: list[Any] = []
    with place.channel() as channel:

        def got() -> bool:
            message = channel.basic_get(queue, no_ack=True)
            found.extend([message] if message else [])
            return bool(found)

        wait_for(got, f"a message in {queue}", 30)
    return Template(found[0])


def fill(place: Place, queue: str, template: Template, count: int) -> None:
    """Puts ``count`` copies into the queue, after what was left there is gone."""
    with place.channel() as channel:
        channel.queue_purge(queue)
        for number in range(count):
            channel.basic_publish(template.copy(number), routing_key=queue)
        wait_for(lambda: depth(channel, queue) >= count, f"{count} messages", FILL_SECONDS)


def depth(channel: amqp.Channel, queue: str) -> int:
    """How many messages wait in it."""
    return int(channel.queue_declare(queue, passive=True).message_count)


def consumers(place: Place, queue: str) -> int:
    """How many take from it; 0 where it is not there."""
    try:
        with place.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).consumer_count)
    except amqp.NotFound:
        return 0


def quorum_queue(place: Place, name: str, exchange: str = "", *keys: str) -> None:
    """A queue of another service, bound with these routing keys."""
    with place.channel() as channel:
        arguments = {"x-queue-type": "quorum"}
        channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)
        for key in keys:
            channel.queue_bind(name, exchange, key)


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, dict):
        return {key: _replaced(item, old, new) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, old, new) for item in value]
    return value
