"""What RabbitMQ can not make a dead letter of: a message whose history is made up.

RabbitMQ writes the history of a dead letter in the header ``x-death``, and adds to the one that is
there. One that a publisher made up ends its dead-letter process, again and again: no message of
that queue would become a dead letter any more (seen with 3.10).
"""

from __future__ import annotations

from typing import Any

from motia_celery.broker import wire
from motia_celery.errors import MessageRejectedError

_HISTORY = "x-death"
_KEPT = ("message_id", "correlation_id", "timestamp")


def has_made_up_history(raw: Any) -> bool:
    """Whether the broker could not add to the delivery's history."""
    headers = (raw.properties or {}).get("application_headers") or {}
    history = headers.get(_HISTORY, [])
    return not (isinstance(history, list) and all(map(_is_entry, history)))


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("queue"), str)
        and isinstance(entry.get("reason"), str)
        and type(entry.get("count", 1)) is int
    )


def letter(raw: Any, error: MessageRejectedError, exchange: str, queue: str) -> wire.Message:
    """The dead letter of a delivery, without what could end the broker's process again."""
    given = raw.properties
    headers = (given.get("application_headers") or {}).items()
    return wire.Message(
        exchange=exchange,
        routing_key=queue,
        body=raw.body.encode() if isinstance(raw.body, str) else bytes(raw.body),
        headers={
            **{name: value for name, value in headers if isinstance(value, (str, int, float))},
            **wire.refusal_headers(error, queue),
            wire.CONTENT_TYPE_WAS: str(given.get("content_type") or ""),
            wire.CONTENT_ENCODING_WAS: str(given.get("content_encoding") or ""),
        },
        properties={"delivery_mode": 2} | {name: given[name] for name in _KEPT if given.get(name)},
        mandatory=True,
    )
