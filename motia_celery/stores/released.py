"""What the last release bound on the broker, so that the next one knows what to take away.

AMQP has no way to ask a broker for a queue's bindings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from motia_celery.stores.redis import reaching

if TYPE_CHECKING:
    from collections.abc import Mapping

    import redis

Bindings = dict[str, tuple[str, ...]]


class ReleasedBindings:
    """The topics of each queue, by the queue's name."""

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._key = f"{prefix}:released"

    def read(self) -> Bindings:
        """What was remembered; empty before the first release."""
        with reaching(self._client):
            raw = self._client.get(self._key)
        return {name: tuple(topics) for name, topics in orjson.loads(raw or b"{}").items()}

    def write(self, bindings: Mapping[str, tuple[str, ...]]) -> None:
        """Remembers these in place of the earlier ones."""
        with reaching(self._client):
            self._client.set(self._key, orjson.dumps(dict(bindings)))
