"""The dead letters where Redis is the broker: a list, which is read without taking any away."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from motia_celery.broker import wire
from motia_celery.broker.letter import Held, RawMessage
from motia_celery.broker.wire import Message
from motia_celery.errors import DeadLetterError, FrameworkError
from motia_celery.plan.topology import Names

#: Letters that are read at once.
WINDOW = 100

# KEYS: dead letters, a Step's queue. ARGV: the letter as it is, the message that replays it.
_RESEND = """
if redis.call('LREM', KEYS[1], -1, ARGV[1]) == 0 then return 0 end
redis.call('LPUSH', KEYS[2], ARGV[2])
return 1
"""


class ListedLetters:
    """The dead letters in the list that kombu keeps in Redis, whose end is the oldest."""

    def __init__(self, channel: Any, names: Names, queues: frozenset[str]) -> None:
        self._channel = channel
        self._client = channel.client
        self._names = names
        self._queues = queues
        self._key = self._key_of(names.dead_letter_queue)
        self._gone = 0

    def _key_of(self, queue: str) -> str:
        return f"{self._channel.global_keyprefix}{queue}"

    def count(self) -> int:
        """How many there are."""
        return int(self._client.execute_command("LLEN", self._names.dead_letter_queue))

    def serves(self, queue: str) -> bool:
        """Whether a Step's queue is there."""
        # Redis keeps no empty list, and no list of a queue's readers.
        return queue in self._queues

    def read(self) -> Iterator[Held]:
        """Every letter that is there when it begins, oldest first."""
        left, seen = self.count(), 0
        self._gone = 0
        while left > 0:
            # Counted from the end: new letters come in at the other one.
            first = seen - self._gone + 1
            last = first + min(WINDOW, left) - 1
            values = self._client.execute_command("LRANGE", self._key, -last, -first)
            for value in reversed(values):
                yield Held(listed(value), value)
            seen, left = seen + len(values), left - WINDOW
            if not values:
                return

    def remove(self, held: Held) -> None:
        """Deletes a letter."""
        self._gone += int(self._client.execute_command("LREM", self._key, -1, held.handle))

    def resend(self, batch: Sequence[tuple[Held, Message]]) -> list[FrameworkError | None]:
        """Puts each message in its queue and deletes its letter, in one step."""
        with self._client.pipeline(transaction=False) as pipe:
            for held, message in batch:
                target = self._key_of(message.routing_key)
                pipe.eval(_RESEND, 2, self._key, target, held.handle, _payload(message))
            answers = pipe.execute(raise_on_error=False)
        self._gone += sum(1 for answer in answers if answer == 1)
        return [_refusal(answer) for answer in answers]


def _refusal(answer: Any) -> FrameworkError | None:
    if isinstance(answer, Exception):
        return DeadLetterError(f"Redis refused ({answer}).", "", "Look at the server.")
    if answer == 0:
        return DeadLetterError("another command took it meanwhile.")
    return None


def _payload(message: Message) -> bytes:
    """The message as kombu's Redis transport keeps it."""
    return json.dumps(
        {
            "body": base64.b64encode(message.body).decode(),
            "content-type": wire.CONTENT_TYPE,
            "content-encoding": "utf-8",
            "headers": dict(message.headers),
            "properties": {
                **message.properties,
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": str(uuid.uuid4()),
                "delivery_info": {"exchange": "", "routing_key": message.routing_key},
            },
        }
    ).encode()


def listed(value: bytes) -> RawMessage:
    """A value of the list as a message; one that kombu did not write is all body."""
    try:
        payload = json.loads(value)
        properties = dict(payload["properties"])
        info = dict(properties.get("delivery_info") or {})
        return RawMessage(
            _decoded(payload.get("body"), properties),
            {
                **properties,
                "application_headers": dict(payload.get("headers") or {}),
                "content_type": payload.get("content-type"),
                "content_encoding": payload.get("content-encoding"),
            },
            info,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return RawMessage(value)


def _decoded(body: Any, properties: dict[str, Any]) -> bytes:
    text = body if isinstance(body, str) else ""
    if properties.get("body_encoding") == "base64":
        return base64.b64decode(text)
    return text.encode()
