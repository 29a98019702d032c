"""The delivery limit where the broker has none: a message that kills its worker is stopped.

kombu's Redis transport gives a message back each time its worker dies, for ever. It marks what it
gave back, and keeps the delivery tag, so the deliveries of one message can be counted.
"""

from __future__ import annotations

from typing import Any

from motia_celery.errors import PoisonMessageError
from motia_celery.plan.topology import DELIVERY_LIMIT

#: A count is forgotten this long after the last redelivery.
_KEPT_SECONDS = 7 * 24 * 3600
_COUNT = """
local count = redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], ARGV[1])
return count
"""


def stop_poison(channel: Any, message: Any, queue: str) -> None:
    """Counts a redelivery; returns for as long as the message may be delivered again.

    Raises:
        PoisonMessageError: it was given back more than ``DELIVERY_LIMIT`` times.
    """
    if not hasattr(channel, "global_keyprefix") or not (message.headers or {}).get("redelivered"):
        return
    key = redeliveries_key(channel, str(message.delivery_tag))
    try:
        count = channel.client.eval(_COUNT, 1, key, _KEPT_SECONDS)
    except channel.connection_errors:
        return  # an uncounted delivery harms less than an event that is not run
    if count > DELIVERY_LIMIT:
        raise PoisonMessageError(
            f"it was delivered {count} times, and its worker died each time.", queue
        )


def redeliveries_key(channel: Any, delivery_tag: str) -> str:
    """Where the redeliveries of a message are counted."""
    return f"{channel.global_keyprefix}redeliveries:{delivery_tag}"
